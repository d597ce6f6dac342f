import { AppError } from '@olytix/errors'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** Remembers every route, so that a known path with another method is 405 and not 404. */
export function answerWrongMethods(server: FastifyInstance): void {
  const routes: { readonly pattern: RegExp; readonly method: string }[] = []
  server.addHook('onRoute', ({ url, method }) => {
    for (const each of [method].flat()) routes.push({ pattern: toPattern(url), method: each })
  })
  server.addHook('onRequest', (request: FastifyRequest, _reply: FastifyReply, done) => {
    if (!request.is404) {
      done()
      return
    }
    const path = request.url.split('?')[0] ?? ''
    const allowed = [
      ...new Set(routes.filter(({ pattern }) => pattern.test(path)).map((r) => r.method)),
    ]
    done(allowed.length > 0 ? wrongMethod(allowed) : undefined)
  })
}

function wrongMethod(allowed: readonly string[]): AppError {
  return new AppError('METHOD_NOT_ALLOWED', `This address takes ${allowed.join(', ')}`, {
    headers: { allow: allowed.join(', ') },
  })
}

function toPattern(url: string): RegExp {
  const escaped = url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${escaped.replace(/:[A-Za-z_]+/g, '[^/]+')}$`)
}
