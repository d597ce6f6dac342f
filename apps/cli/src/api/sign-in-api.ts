import { Secret } from '@olytix/config'
import { principal, type Principal } from './answers.js'
import { FixedCredential } from './credential.js'
import { type OAuthProvider, providerList, tokenPair, type TokenPair } from './identity-answers.js'
import { call, command } from './transport.js'

/** Shorter than a profile's lock is kept for somebody who may have died. */
const REFRESH_TIMEOUT_MS = 30_000

/** Calls that need no other credential than the one they carry. Every method throws what `call` throws. */
export class SignInApi {
  constructor(private readonly server: URL) {}

  issueToken(username: string, password: string): Promise<TokenPair> {
    const body = { username, password }
    const request = { method: 'POST', path: 'api/v1/auth/token', body } as const
    return call({ url: this.server }, request, tokenPair)
  }

  async listProviders(): Promise<readonly OAuthProvider[]> {
    const request = { method: 'GET', path: 'api/v1/auth/oauth/providers' } as const
    return (await call({ url: this.server }, request, providerList)).providers
  }

  /** A pair for the one-time code of a sign-in with a provider, and the verifier that belongs to it. */
  redeemCode(code: string, verifier: string): Promise<TokenPair> {
    const body = { code, code_verifier: verifier }
    const request = { method: 'POST', path: 'api/v1/auth/oauth/token', body } as const
    return call({ url: this.server }, request, tokenPair)
  }

  /** Whose access token this is. */
  whoHolds(accessToken: string): Promise<Principal> {
    const credential = new FixedCredential(
      new Secret(accessToken),
      'The token came from the sign-in.',
    )
    const request = { method: 'GET', path: 'api/v1/auth/me' } as const
    return call({ url: this.server, credential }, request, principal)
  }

  /** The next pair; the same refresh token again within ten seconds gets the same one. */
  refreshToken(refreshToken: string): Promise<TokenPair> {
    const body = { refresh_token: refreshToken }
    const timeoutMs = REFRESH_TIMEOUT_MS
    const request = { method: 'POST', path: 'api/v1/auth/refresh', body, timeoutMs } as const
    return call({ url: this.server }, request, tokenPair)
  }

  /** Ends the session of a refresh token, if there is one. */
  revokeToken(refreshToken: string): Promise<void> {
    const body = { refresh_token: refreshToken }
    return command({ url: this.server }, { method: 'POST', path: 'api/v1/auth/logout', body })
  }

  /** Sets a password with the token of an invite or a reset. */
  redeemPasswordToken(token: string, newPassword: string): Promise<void> {
    const body = { token, new_password: newPassword }
    const path = 'api/v1/auth/password/reset'
    return command({ url: this.server }, { method: 'POST', path, body })
  }
}
