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

/** An API key is what it is. */
export class ApiKeyCredential implements Credential {
  constructor(
    private readonly key: Secret,
    private readonly source: string,
  ) {}

  get refusedHint(): string {
    return `The key came from ${this.source}.`
  }

  present(): Promise<Secret> {
    return Promise.resolve(this.key)
  }

  renew(): Promise<undefined> {
    return Promise.resolve(undefined)
  }
}
