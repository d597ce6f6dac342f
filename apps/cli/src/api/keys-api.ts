import {
  issuedKey,
  type IssuedKey,
  keyPage,
  keyUsage,
  type KeyUsage,
  listedKey,
  type ListedKey,
  revokedKeys,
} from './identity-answers.js'
import { pages } from './pages.js'
import { call, command, type Endpoint } from './transport.js'

/** What a key may and where it may be used from. */
export interface KeySettings {
  readonly scopes?: readonly string[] | undefined
  readonly roles?: readonly string[] | undefined
  readonly attributes?: Readonly<Record<string, unknown>> | undefined
  readonly allowed_ips?: readonly string[] | undefined
}

/** The body of `POST /auth/keys`. */
export interface NewKey extends KeySettings {
  readonly name: string
  readonly expires_in_days: number
}

/** The body of `PATCH /auth/keys/{id}`: only what is named changes. */
export interface KeyChange extends KeySettings {
  readonly name?: string | undefined
  readonly disabled?: boolean | undefined
}

export interface UsageQuery {
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly granularity?: string | undefined
}

const KEYS = 'api/v1/auth/keys'

/** API keys. Every method throws what `call` throws. */
export class KeysApi {
  constructor(private readonly endpoint: Endpoint) {}

  create(body: NewKey): Promise<IssuedKey> {
    return call(this.endpoint, { method: 'POST', path: KEYS, body }, issuedKey)
  }

  /** All keys, every page of them. */
  async list(): Promise<readonly ListedKey[]> {
    const keys: ListedKey[] = []
    for await (const page of pages(this.endpoint, { path: KEYS }, keyPage)) keys.push(...page.keys)
    return keys
  }

  update(id: string, body: KeyChange): Promise<ListedKey> {
    return call(this.endpoint, { method: 'PATCH', path: pathOf(id), body }, listedKey)
  }

  /** A new key with the settings of the old one, which works for so many seconds more. */
  rotate(id: string, overlapSeconds: number): Promise<IssuedKey> {
    const body = { overlap_seconds: overlapSeconds }
    return call(this.endpoint, { method: 'POST', path: `${pathOf(id)}/rotate`, body }, issuedKey)
  }

  usage(id: string, query: UsageQuery): Promise<KeyUsage> {
    const request = { method: 'GET', path: `${pathOf(id)}/usage`, search: { ...query } } as const
    return call(this.endpoint, request, keyUsage)
  }

  revoke(id: string): Promise<void> {
    return command(this.endpoint, { method: 'DELETE', path: pathOf(id) })
  }

  /** Revokes a key of which only its text is known: a leaked one. */
  revokePresented(key: string): Promise<void> {
    return command(this.endpoint, { method: 'POST', path: `${KEYS}/revoke`, body: { key } })
  }

  /** Revokes every key that a user has made; how many there were. */
  async revokeOfOwner(ownerId: string): Promise<number> {
    const body = { owner_id: ownerId }
    const request = { method: 'POST', path: `${KEYS}/revoke`, body } as const
    return Number((await call(this.endpoint, request, revokedKeys)).revoked)
  }
}

function pathOf(id: string): string {
  return `${KEYS}/${encodeURIComponent(id)}`
}
