import type { TokenPair } from '@olytix/proto'

/** The documented answer of every sign-in, byte for byte in this order. */
export function toTokenJson(pair: TokenPair | undefined): Record<string, unknown> {
  if (!pair) throw new Error('identity answered without tokens')
  return {
    access_token: pair.accessToken,
    token_type: 'bearer',
    expires_in: pair.expiresIn,
    refresh_token: pair.refreshToken,
  }
}

/** What a client calls itself, as much of it as the list of sessions keeps. */
export function clientName(userAgent: string | undefined): string {
  return (userAgent ?? '').slice(0, 200)
}
