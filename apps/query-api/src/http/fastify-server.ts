import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import fastifyCookie from '@fastify/cookie'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { AppError, ERROR_CODES } from '@olytix/errors'
import { REQUEST_ID_HEADER, requestId } from '@olytix/observability'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { OpenConnections } from './open-connections.js'

/** Largest body, in bytes. */
const BODY_LIMIT = 1024 * 1024

/** How long answers may go on when the server is told to end: less than the process itself has. */
const GRACE_MS = 7000

interface ServerOptions {
  /** Addresses or CIDR blocks of proxies whose X-Forwarded-For counts. */
  readonly trustedProxies: readonly string[]
  /** Told of each finished request. */
  readonly onResponse: (entry: AccessEntry) => void
  readonly graceMs?: number
}

/** One line of the access log: no URL, since a URL may hold a key. */
export interface AccessEntry {
  readonly request_id: string
  readonly method: string
  readonly route: string
  readonly status: number
  readonly duration_ms: number
  readonly client_ip: string
}

/** Fastify as query-api wants it: request ids, limits, and its own refusals in the documented shape. */
export function createFastifyAdapter(options: ServerOptions): FastifyAdapter {
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT,
    trustProxy: options.trustedProxies.length > 0 ? [...options.trustedProxies] : false,
    genReqId: (request: IncomingMessage) => requestId(request.headers[REQUEST_ID_HEADER]),
    forceCloseConnections: 'idle',
    requestTimeout: 60_000,
    routerOptions: { ignoreTrailingSlash: false },
    clientErrorHandler: refuseUnreadable,
  })
  const server = adapter.getInstance()
  const connections = new OpenConnections(server.server)
  server.addHook('preClose', (done) => {
    connections.end(options.graceMs ?? GRACE_MS)
    done()
  })
  takeOnlyJson(adapter)
  void server.register(fastifyCookie)
  server.addHook('onRequest', (request: FastifyRequest, reply: FastifyReply, done) => {
    reply.header(REQUEST_ID_HEADER, request.id)
    done()
  })
  server.addHook('onResponse', (request: FastifyRequest, reply: FastifyReply, done) => {
    options.onResponse({
      request_id: request.id,
      method: request.method,
      route: request.routeOptions.url ?? 'none',
      status: reply.statusCode,
      duration_ms: Math.round(reply.elapsedTime * 10) / 10,
      client_ip: request.ip,
    })
    done()
  })
  return adapter
}

/** Fastify by itself would also read plain text, and Nest forms. */
function takeOnlyJson(adapter: FastifyAdapter): void {
  adapter.getInstance().removeContentTypeParser('text/plain')
  adapter.useBodyParser('application/x-www-form-urlencoded', false, {}, (_request, _body, done) => {
    done(new AppError('UNSUPPORTED_MEDIA_TYPE', 'The body must be application/json'))
  })
}

/** What Node's HTTP parser could not read has no request yet: answer on the socket itself. */
function refuseUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const code = error.code === 'HPE_HEADER_OVERFLOW' ? 'HEADERS_TOO_LARGE' : 'INVALID_REQUEST'
  const message =
    code === 'HEADERS_TOO_LARGE'
      ? 'The headers are larger than allowed'
      : 'This is not readable HTTP'
  const details = [{ path: 'headers', message }]
  const refusal = new AppError(code, message, code === 'INVALID_REQUEST' ? { details } : {})
  const body = JSON.stringify(refusal.toBody())
  const { http } = ERROR_CODES[code]
  socket.end(
    `HTTP/1.1 ${String(http)} Refused\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `${REQUEST_ID_HEADER}: ${requestId(undefined)}\r\n` +
      `Content-Length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`,
  )
}
