import { Secret } from '@olytix/config'
import { ApiRefusal } from '../api/api-errors.js'
import type { Credential } from '../api/credential.js'
import type { TokenPair } from '../api/identity-answers.js'
import { changeProfile } from '../profile/change-profile.js'
import { ProfileError } from '../profile/profile-error.js'
import type { StoredSession } from '../profile/read-profile.js'

/** An access token that ends this soon might end on its way. */
const MARGIN_MS = 10_000

/** Gives the next pair for a refresh token. */
export type Refresh = (refreshToken: string) => Promise<TokenPair>

/**
 * The session of a profile. Its access token is renewed once it has ended or been refused, by one process at a time:
 * who waited takes the token that the other one got.
 */
export class SessionCredential implements Credential {
  private current: StoredSession

  constructor(
    private readonly file: string,
    session: StoredSession,
    private readonly refresh: Refresh,
  ) {
    this.current = session
  }

  get refusedHint(): string {
    return `The session of ${this.current.email} in ${this.file} is over; sign in again: olytix-core auth login`
  }

  /** @throws ApiRefusal when the session is over, ProfileError when somebody has signed out meanwhile */
  async present(): Promise<Secret> {
    if (isOver(this.current)) await this.renewStored(this.current.accessToken)
    return this.current.accessToken
  }

  async renew(refused: Secret): Promise<Secret | undefined> {
    try {
      await this.renewStored(refused)
      return this.current.accessToken
    } catch (error) {
      if (error instanceof ApiRefusal && error.status === 401) return undefined
      throw error
    }
  }

  private async renewStored(refused: Secret): Promise<void> {
    const profile = await changeProfile(this.file, async (before) => {
      if (!before?.session) return before
      const { session } = before
      const isOther = session.accessToken.reveal() !== refused.reveal()
      if (isOther && !isOver(session)) return before
      const pair = await this.refresh(session.refreshToken.reveal())
      return { ...before, session: toSession(session.email, pair) }
    })
    if (!profile?.session) {
      throw new ProfileError(`nobody is signed in at ${this.file}; run: olytix-core auth login`)
    }
    this.current = profile.session
  }
}

/** A pair that the server has just given, as a profile keeps it. */
export function toSession(email: string, pair: TokenPair): StoredSession {
  return {
    email,
    accessToken: new Secret(pair.access_token),
    expiresAt: new Date(Date.now() + Number(pair.expires_in) * 1000),
    refreshToken: new Secret(pair.refresh_token),
  }
}

function isOver(session: StoredSession): boolean {
  return session.expiresAt.getTime() - MARGIN_MS <= Date.now()
}
