import { FixedCredential, type Credential } from '../api/credential.js'
import { SignInApi } from '../api/sign-in-api.js'
import type { Connection } from '../profile/connection.js'
import { SessionCredential } from './session-credential.js'

/** What a connection presents: its key, or its session, which renews itself at the connection's own server. */
export function credentialOf({ url, held }: Connection): Credential {
  if ('key' in held) return new FixedCredential(held.key, `The key came from ${held.source}.`)
  const server = new SignInApi(url)
  return new SessionCredential(held.file, held.session, (token) => server.refreshToken(token))
}
