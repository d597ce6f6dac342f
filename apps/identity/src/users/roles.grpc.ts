import { Controller } from '@nestjs/common'
import { GrpcMethod, Payload } from '@nestjs/microservices'
import { RequireScope } from '@olytix/auth-guards'
import type {
  DeleteRoleRequest,
  DeleteRoleResponse,
  GetRoleRequest,
  GetRoleResponse,
  ListRolesRequest,
  ListRolesResponse,
  PutRoleRequest,
  PutRoleResponse,
  Role,
} from '@olytix/proto'
import { CurrentOrigin, type PrincipalOrigin } from '../audit/origin.js'
import type { RoleRow } from './roles.queries.js'
import { parseRole, parseRoleName, parseRolePage } from './roles.schemas.js'
import { RolesService } from './roles.service.js'

/** `RoleService`. */
@RequireScope('admin')
@Controller()
export class RolesController {
  constructor(private readonly roles: RolesService) {}

  @GrpcMethod('RoleService', 'ListRoles')
  async listRoles(@Payload() request: ListRolesRequest): Promise<ListRolesResponse> {
    const { pageSize, after } = parseRolePage(request)
    const { roles, nextName } = await this.roles.listRoles(pageSize, after)
    return { roles: roles.map(toRoleMessage), nextPageToken: nextName ?? '' }
  }

  @GrpcMethod('RoleService', 'GetRole')
  async getRole(@Payload() request: GetRoleRequest): Promise<GetRoleResponse> {
    return { role: toRoleMessage(await this.roles.getRole(parseRoleName(request.name))) }
  }

  @GrpcMethod('RoleService', 'PutRole')
  async putRole(
    @Payload() request: PutRoleRequest,
    @CurrentOrigin() origin: PrincipalOrigin,
  ): Promise<PutRoleResponse> {
    const { role, created } = await this.roles.putRole(parseRole(request), origin)
    return { role: toRoleMessage(role), created }
  }

  @GrpcMethod('RoleService', 'DeleteRole')
  async deleteRole(
    @Payload() request: DeleteRoleRequest,
    @CurrentOrigin() origin: PrincipalOrigin,
  ): Promise<DeleteRoleResponse> {
    await this.roles.deleteRole(parseRoleName(request.name), origin)
    return {}
  }
}

function toRoleMessage(row: RoleRow): Role {
  return {
    name: row.name,
    scopes: row.scopes,
    description: row.description,
    builtIn: row.built_in,
    updatedAt: row.updated_at,
  }
}
