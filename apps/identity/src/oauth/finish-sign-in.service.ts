import { Injectable, Logger } from '@nestjs/common'
import { AppError } from '@olytix/errors'
import type { Origin } from '../audit/origin.js'
import { markRefusal, refusalOf } from '../audit/refusal.js'
import { type BegunSession, SessionsService } from '../tokens/sessions.service.js'
import { beginSession } from './begin-session.js'
import { CodesService } from './codes.service.js'
import { type Callback, IdentificationService } from './identification.service.js'
import { redirectError } from './oauth.errors.js'
import { withParameters } from './redirect-uri.js'
import type { Client } from './states.queries.js'
import { StatesService } from './states.service.js'

/** Tokens, or where the browser goes with the outcome. */
export interface FinishedSignIn {
  readonly tokens?: BegunSession['tokens']
  /** Empty beside tokens: on the wire no text is undefined. */
  readonly redirectUrl: string
}

/** The second half of signing in with a provider. */
@Injectable()
export class FinishSignInService {
  private readonly logger = new Logger('oauth')

  constructor(
    private readonly states: StatesService,
    private readonly identification: IdentificationService,
    private readonly codes: CodesService,
    private readonly sessions: SessionsService,
  ) {}

  /**
   * Finishes a sign-in. With a redirect_uri, once the state holds, a refusal is an answer too: the address with `error`.
   * @throws AppError UNAUTHORIZED when state or provider do not confirm it, FORBIDDEN when the account is closed to it,
   * UNAVAILABLE when the provider does not answer
   */
  async finish(callback: Callback, origin: Origin): Promise<FinishedSignIn> {
    const flow = await this.states.take(callback)
    const { client } = flow
    if (!client) {
      const account = await this.identification.identify(callback, flow, origin)
      const signIn = { ...account, userAgent: callback.userAgent }
      const { tokens } = await beginSession(this.sessions, signIn, origin)
      return { tokens, redirectUrl: '' }
    }
    try {
      const account = await this.identification.identify(callback, flow, origin)
      const code = await this.codes.issue({ ...account, codeChallenge: client.codeChallenge })
      return { redirectUrl: withParameters(client.redirectUri, { code, state: client.state }) }
    } catch (error) {
      return this.refuseByRedirect(client, error)
    }
  }

  private refuseByRedirect({ redirectUri, state }: Client, error: unknown): FinishedSignIn {
    const refusal = refusalOf(error)
    if (!refusal) this.logger.error({ event: 'sign_in_failed', err: error })
    const code = error instanceof AppError ? error.code : 'INTERNAL'
    const redirectUrl = withParameters(redirectUri, { error: redirectError(code), state })
    return refusal ? markRefusal({ redirectUrl }, refusal) : { redirectUrl }
  }
}
