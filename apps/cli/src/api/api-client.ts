import {
  cubeList,
  type Cube,
  issuedKey,
  type IssuedKey,
  keyPage,
  type ListedKey,
  metricList,
  type MetricSummary,
  principal,
  type Principal,
  queryAnswer,
  type QueryAnswer,
} from './answers.js'
import { call, command, type Endpoint } from './transport.js'

/** The body of `POST /auth/keys`. */
export interface NewKey {
  readonly name: string
  readonly scopes: readonly string[]
  readonly expires_in_days: number
  readonly roles?: readonly string[]
  readonly attributes?: Readonly<Record<string, unknown>>
}

/** The body of `POST /query`, as far as the command line can ask. */
export interface QueryRequest {
  readonly metrics?: readonly string[]
  readonly dimensions?: readonly string[]
  readonly filters?: readonly QueryFilter[]
  readonly order_by?: readonly { readonly field: string; readonly direction: 'asc' | 'desc' }[]
  readonly limit?: number
  readonly offset?: number
}

export interface QueryFilter {
  readonly dimension?: string
  readonly metric?: string
  readonly operator: string
  readonly value?: unknown
}

/** The REST API, typed: the only place of the CLI that knows its URLs. Every method throws what `call` throws. */
export class ApiClient {
  constructor(private readonly endpoint: Endpoint) {}

  whoAmI(): Promise<Principal> {
    return call(this.endpoint, { method: 'GET', path: 'api/v1/auth/me' }, principal)
  }

  createKey(body: NewKey): Promise<IssuedKey> {
    return call(this.endpoint, { method: 'POST', path: 'api/v1/auth/keys', body }, issuedKey)
  }

  /** All keys, every page of them. */
  async listKeys(): Promise<readonly ListedKey[]> {
    const keys: ListedKey[] = []
    let token: string | null | undefined
    do {
      const search = token ? { page_token: token } : {}
      const request = { method: 'GET', path: 'api/v1/auth/keys', search } as const
      const page = await call(this.endpoint, request, keyPage)
      keys.push(...page.keys)
      token = page.next_page_token
    } while (token)
    return keys
  }

  revokeKey(id: string): Promise<void> {
    const path = `api/v1/auth/keys/${encodeURIComponent(id)}`
    return command(this.endpoint, { method: 'DELETE', path })
  }

  /** Revokes a key of which only its text is known: a leaked one. */
  revokePresentedKey(key: string): Promise<void> {
    const body = { key }
    return command(this.endpoint, { method: 'POST', path: 'api/v1/auth/keys/revoke', body })
  }

  query(body: QueryRequest): Promise<QueryAnswer> {
    return call(this.endpoint, { method: 'POST', path: 'api/v1/query', body }, queryAnswer)
  }

  async listCubes(): Promise<readonly Cube[]> {
    const request = { method: 'GET', path: 'api/v1/query/meta/cubes' } as const
    return (await call(this.endpoint, request, cubeList)).cubes
  }

  async listMetrics(): Promise<readonly MetricSummary[]> {
    const request = { method: 'GET', path: 'api/v1/query/meta/metrics' } as const
    return (await call(this.endpoint, request, metricList)).metrics
  }
}
