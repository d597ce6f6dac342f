import { createHash } from 'node:crypto'
import type { FastifyReply } from 'fastify'
import type {} from '@fastify/cookie'

/**
 * Ties a sign-in to the browser that began it: HttpOnly, sent along when the provider sends the browser back (Lax). One
 * cookie for each sign-in, so that two tabs do not disturb each other. On https no sibling domain can set it (`__Host-`).
 */
export class SignInCookie {
  private readonly name: string

  constructor(
    state: string,
    private readonly isSecure: boolean,
  ) {
    const flow = createHash('sha256').update(state).digest('base64url').slice(0, 22)
    this.name = `${isSecure ? '__Host-' : ''}olytix_sign_in_${flow}`
  }

  /** @param maxAge in seconds */
  keep(reply: FastifyReply, secret: string, maxAge: number): void {
    void reply.setCookie(this.name, secret, { ...this.attributes, maxAge })
  }

  /** The secret, empty when there is none; the browser forgets it with the answer. */
  take(reply: FastifyReply): string {
    void reply.clearCookie(this.name, this.attributes)
    return reply.request.cookies[this.name] ?? ''
  }

  private get attributes() {
    return { path: '/', httpOnly: true, sameSite: 'lax', secure: this.isSecure } as const
  }
}
