import {
  type AuditEvent,
  chainCheck,
  type ChainCheck,
  eventPage,
  signingKey,
  type SigningKey,
  signingKeyPage,
} from './identity-answers.js'
import { pages } from './pages.js'
import { call, command, type Endpoint } from './transport.js'

export interface EventQuery {
  readonly type?: string | undefined
  readonly subject?: string | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
}

const SIGNING_KEYS = 'api/v1/auth/signing-keys'
const AUDIT = 'api/v1/auth/audit'
const LARGEST_PAGE = 1000

/** Signing keys and the audit trail. Every method throws what `call` throws. */
export class SecurityApi {
  constructor(private readonly endpoint: Endpoint) {}

  async listSigningKeys(): Promise<readonly SigningKey[]> {
    const keys: SigningKey[] = []
    for await (const page of pages(this.endpoint, { path: SIGNING_KEYS }, signingKeyPage)) {
      keys.push(...page.signing_keys)
    }
    return keys
  }

  rotateSigningKey(): Promise<SigningKey> {
    return call(this.endpoint, { method: 'POST', path: `${SIGNING_KEYS}/rotate` }, signingKey)
  }

  revokeSigningKey(id: string): Promise<void> {
    const path = `${SIGNING_KEYS}/${encodeURIComponent(id)}`
    return command(this.endpoint, { method: 'DELETE', path })
  }

  /** The newest `limit` events that fit, and whether there are more. */
  async listEvents(
    query: EventQuery,
    limit: number,
  ): Promise<{ readonly events: readonly AuditEvent[]; readonly hasMore: boolean }> {
    const search = { ...query, page_size: String(Math.min(limit, LARGEST_PAGE)) }
    const events: AuditEvent[] = []
    for await (const page of pages(this.endpoint, { path: AUDIT, search }, eventPage)) {
      events.push(...page.events)
      const hasMore = events.length > limit || Boolean(page.next_page_token)
      if (events.length >= limit) return { events: events.slice(0, limit), hasMore }
    }
    return { events, hasMore: false }
  }

  /** Lets the server recompute the hash chain over all events. */
  verifyEvents(): Promise<ChainCheck> {
    return call(this.endpoint, { method: 'POST', path: `${AUDIT}/verify` }, chainCheck)
  }
}
