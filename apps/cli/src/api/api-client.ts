import { AccountApi } from './account-api.js'
import {
  cubeList,
  type Cube,
  explanation,
  type Explanation,
  metricList,
  type MetricSummary,
  principal,
  type Principal,
  queryAnswer,
  type QueryAnswer,
} from './answers.js'
import { AuditApi } from './audit-api.js'
import { KeysApi } from './keys-api.js'
import { PoliciesApi } from './policies-api.js'
import { ProjectApi } from './project-api.js'
import { RolesApi } from './roles-api.js'
import { RunsApi } from './runs-api.js'
import { SecurityApi } from './security-api.js'
import { call, type Endpoint } from './transport.js'
import { UsersApi } from './users-api.js'

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
  readonly keys: KeysApi
  readonly users: UsersApi
  readonly roles: RolesApi
  readonly account: AccountApi
  readonly security: SecurityApi
  readonly policies: PoliciesApi
  readonly audit: AuditApi
  readonly project: ProjectApi
  readonly runs: RunsApi

  constructor(private readonly endpoint: Endpoint) {
    this.keys = new KeysApi(endpoint)
    this.users = new UsersApi(endpoint)
    this.roles = new RolesApi(endpoint)
    this.account = new AccountApi(endpoint)
    this.security = new SecurityApi(endpoint)
    this.policies = new PoliciesApi(endpoint)
    this.audit = new AuditApi(endpoint)
    this.project = new ProjectApi(endpoint)
    this.runs = new RunsApi(endpoint)
  }

  whoAmI(): Promise<Principal> {
    return call(this.endpoint, { method: 'GET', path: 'api/v1/auth/me' }, principal)
  }

  query(body: QueryRequest): Promise<QueryAnswer> {
    return call(this.endpoint, { method: 'POST', path: 'api/v1/query', body }, queryAnswer)
  }

  /** What applies to a question: of the caller, or for an admin of somebody else by id or e-mail address. */
  explain(body: QueryRequest & { readonly as_user?: string }): Promise<Explanation> {
    return call(this.endpoint, { method: 'POST', path: 'api/v1/query/explain', body }, explanation)
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
