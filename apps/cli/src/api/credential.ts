import type { Secret } from '@olytix/config'

/** What calls present to the server. */
export interface Credential {
  /** For the next call; may have been renewed before it is given. */
  present(): Promise<Secret>
  /** What to present instead after the server has refused `refused`; `undefined` when there is nothing. */
  renew(refused: Secret): Promise<Secret | undefined>
  /** What a person whose credential was refused should know. */
  readonly refusedHint: string
}

/** What cannot be renewed: an API key, or an access token for a single call. */
export class FixedCredential implements Credential {
  constructor(
    private readonly secret: Secret,
    readonly refusedHint: string,
  ) {}

  present(): Promise<Secret> {
    return Promise.resolve(this.secret)
  }

  renew(): Promise<undefined> {
    return Promise.resolve(undefined)
  }
}
