import { Inject, Injectable } from '@nestjs/common'
import type { Origin } from '../audit/origin.js'
import type { SignIn } from '../tokens/sessions.service.js'
import { AccountsService } from './accounts.service.js'
import { heard } from './oauth.errors.js'
import { OAUTH_OPTIONS, type OAuthOptions } from './oauth.options.js'
import type { ProviderProfile } from './providers/provider.js'
import type { StateRow } from './states.queries.js'

/** What came to the callback. */
export interface Callback {
  readonly provider: string
  readonly browserSecret: string
  readonly state: string
  readonly code: string | undefined
  readonly error: string | undefined
  readonly iss: string | undefined
  readonly userAgent: string
}

/** Who came back from a provider, and which account is theirs. */
@Injectable()
export class IdentificationService {
  constructor(
    private readonly accounts: AccountsService,
    @Inject(OAUTH_OPTIONS) private readonly options: OAuthOptions,
  ) {}

  /**
   * @throws AppError UNAUTHORIZED when the provider does not confirm anybody, FORBIDDEN when the account is closed to
   * them, UNAVAILABLE when the provider does not answer
   */
  async identify(
    callback: Callback,
    flow: StateRow,
    origin: Origin,
  ): Promise<Omit<SignIn, 'userAgent'>> {
    const profile = await this.askProvider(callback, flow)
    const settings = this.options.providers.settings(flow.provider)
    const { id: userId, epoch } = await this.accounts.enter({ profile, settings, origin })
    return { userId, epoch, method: `oauth:${flow.provider}` }
  }

  private askProvider(callback: Callback, flow: StateRow): Promise<ProviderProfile> {
    const { provider, callbackUrl, nonce, codeVerifier } = flow
    const { state, code, error, iss } = callback
    const parameters = { code, state, iss, error }
    return heard(
      provider,
      () =>
        this.options.providers.finish(provider, {
          callbackUrl,
          parameters,
          state,
          nonce,
          codeVerifier,
        }),
      error === undefined ? 'provider_answer_rejected' : 'refused_by_provider',
    )
  }
}
