import {
  type AuditEvent,
  chainCheck,
  type ChainCheck,
  eventPage,
  signingKey,
  type SigningKey,
  signingKeyPage,
} from './identity-answers.js'
import { type EventQuery, type NewestEvents, newestEvents } from './newest-events.js'
import { pages } from './pages.js'
import { call, command, type Endpoint } from './transport.js'

const SIGNING_KEYS = 'api/v1/auth/signing-keys'
const AUDIT = 'api/v1/auth/audit'

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
  listEvents(query: EventQuery, limit: number): Promise<NewestEvents<AuditEvent>> {
    return newestEvents(this.endpoint, { path: AUDIT, page: eventPage }, query, limit)
  }

  /** Lets the server recompute the hash chain over all events. */
  verifyEvents(): Promise<ChainCheck> {
    return call(this.endpoint, { method: 'POST', path: `${AUDIT}/verify` }, chainCheck)
  }
}
