import { Inject, Injectable } from '@nestjs/common'
import type { Origin } from '../audit/origin.js'
import { makeSecret } from './flow-secret.js'
import { heard, redirectUriNotRegistered } from './oauth.errors.js'
import { OAUTH_OPTIONS, type OAuthOptions } from './oauth.options.js'
import { isOwnPage, isRegistered } from './redirect-uri.js'
import type { Client } from './states.queries.js'
import { STATE_TTL_SECONDS, StatesService } from './states.service.js'

/** Who is asked, and where the browser goes afterwards. */
export interface WantedSignIn {
  readonly provider: string
  readonly callbackUrl: string
  readonly loginUrl: string
  /** Null: the callback answers the tokens themselves. */
  readonly client: Client | null
}

/** Where to send the browser, and what to give it. */
export interface BegunSignIn {
  readonly authorizationUrl: string
  readonly state: string
  readonly browserSecret: string
  /** Seconds. */
  readonly expiresIn: number
}

/** The first half of signing in with a provider. */
@Injectable()
export class BeginSignInService {
  constructor(
    private readonly states: StatesService,
    @Inject(OAUTH_OPTIONS) private readonly options: OAuthOptions,
  ) {}

  /**
   * Begins a sign-in, which must be finished by the same browser within 10 minutes.
   * @throws AppError NOT_FOUND for an unknown provider; INVALID_REQUEST for a redirect_uri that is not registered;
   * RATE_LIMITED; UNAVAILABLE while the provider does not answer
   */
  async begin(wanted: WantedSignIn, origin: Origin): Promise<BegunSignIn> {
    const { provider, callbackUrl, client } = wanted
    const { name } = this.options.providers.settings(provider)
    this.demandRegistered(wanted)
    await this.states.demandRoom(name, origin)
    const secrets = { state: makeSecret(), nonce: makeSecret(), codeVerifier: makeSecret() }
    const authorizationUrl = await heard(name, () =>
      this.options.providers.authorizationUrl(name, { callbackUrl, ...secrets }),
    )
    const browserSecret = makeSecret()
    await this.states.keep({ provider, callbackUrl, client, ...secrets, browserSecret }, origin)
    return {
      authorizationUrl: authorizationUrl.href,
      state: secrets.state,
      browserSecret,
      expiresIn: STATE_TTL_SECONDS,
    }
  }

  /** @throws AppError INVALID_REQUEST */
  private demandRegistered({ provider, callbackUrl, loginUrl, client }: WantedSignIn): void {
    if (!client) return
    const { redirectUri } = client
    const isKnown =
      isRegistered(redirectUri, this.options.redirectUris) ||
      isOwnPage(redirectUri, loginUrl, callbackUrl)
    if (!isKnown) throw redirectUriNotRegistered(provider)
  }
}
