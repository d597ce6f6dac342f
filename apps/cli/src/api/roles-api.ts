import { role, type Role, rolePage } from './identity-answers.js'
import { pages } from './pages.js'
import { call, command, type Endpoint } from './transport.js'

/** The body of `PUT /auth/roles/{name}`: what the role is from now on. */
export interface RoleContent {
  readonly scopes: readonly string[]
  readonly description?: string
}

const ROLES = 'api/v1/auth/roles'

/** Roles. Every method throws what `call` throws. */
export class RolesApi {
  constructor(private readonly endpoint: Endpoint) {}

  /** All roles, every page of them. */
  async list(): Promise<readonly Role[]> {
    const roles: Role[] = []
    for await (const page of pages(this.endpoint, { path: ROLES }, rolePage)) {
      roles.push(...page.roles)
    }
    return roles
  }

  get(name: string): Promise<Role> {
    return call(this.endpoint, { method: 'GET', path: pathOf(name) }, role)
  }

  put(name: string, body: RoleContent): Promise<Role> {
    return call(this.endpoint, { method: 'PUT', path: pathOf(name), body }, role)
  }

  delete(name: string): Promise<void> {
    return command(this.endpoint, { method: 'DELETE', path: pathOf(name) })
  }
}

function pathOf(name: string): string {
  return `${ROLES}/${encodeURIComponent(name)}`
}
