import { Inject, Injectable } from '@nestjs/common'
import { Database } from '@olytix/postgres'
import type { Origin } from '../audit/origin.js'
import { networkOf } from '../tokens/throttle.js'
import { hashSecret } from './flow-secret.js'
import { notProven, tooManySignIns } from './oauth.errors.js'
import { OAUTH_OPTIONS, type OAuthOptions } from './oauth.options.js'
import {
  countStates,
  deleteExpiredStates,
  insertState,
  type NewStateRow,
  type StateRow,
  takeState,
} from './states.queries.js'

/** How long a sign-in may take, in seconds. */
export const STATE_TTL_SECONDS = 600

/** Sign-ins of one network that may be under way at once. A network may hold many people. */
export const MAX_PENDING = 500

const RETRY_AFTER_SECONDS = 60

/** A sign-in that begins. The secrets are for the provider and the browser; the database holds their hashes. */
export type NewFlow = Pick<
  NewStateRow,
  'provider' | 'nonce' | 'codeVerifier' | 'callbackUrl' | 'client'
> & { readonly state: string; readonly browserSecret: string }

/** Sign-ins that are under way. They live in the database, so that any replica can finish what another began. */
@Injectable()
export class StatesService {
  constructor(
    private readonly database: Database,
    @Inject(OAUTH_OPTIONS) private readonly options: OAuthOptions,
  ) {}

  /** @throws AppError RATE_LIMITED while too many of this network are under way */
  async demandRoom(provider: string, { clientIp }: Origin): Promise<void> {
    const pending = await countStates(this.database, {
      network: networkOf(clientIp),
      now: this.options.now(),
    })
    if (pending >= MAX_PENDING) throw tooManySignIns(provider, RETRY_AFTER_SECONDS)
  }

  async keep({ state, browserSecret, ...flow }: NewFlow, { clientIp }: Origin): Promise<void> {
    const createdAt = this.options.now()
    await insertState(this.database, {
      ...flow,
      stateHash: hashSecret(state),
      browserHash: hashSecret(browserSecret),
      network: networkOf(clientIp),
      createdAt,
      expiresAt: new Date(createdAt.getTime() + STATE_TTL_SECONDS * 1000),
    })
  }

  /**
   * Takes the sign-in that a state stands for; it is used up, whatever comes of it.
   * @throws AppError UNAUTHORIZED unless it is under way, with this provider, in this browser
   */
  async take({ provider, state, browserSecret }: Presented): Promise<StateRow> {
    const row = await takeState(this.database, hashSecret(state))
    if (!row) throw notProven('unknown_state', { provider })
    if (row.provider !== provider) throw notProven('another_provider', { provider })
    if (!hashSecret(browserSecret).equals(row.browserHash)) {
      throw notProven('another_browser', { provider })
    }
    if (row.expiresAt <= this.options.now()) throw notProven('expired_state', { provider })
    return row
  }

  /** Deletes those that can no longer be finished. @returns how many of at most `limit` */
  reap(limit: number): Promise<number> {
    return deleteExpiredStates(this.database, { before: this.options.now(), limit })
  }
}

/** What a browser comes back with. */
interface Presented {
  readonly provider: string
  readonly state: string
  readonly browserSecret: string
}
