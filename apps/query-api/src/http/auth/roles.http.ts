import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query } from '@nestjs/common'
import { RequireScope } from '@olytix/auth-guards'
import {
  DeleteRoleRequest,
  GetRoleRequest,
  ListRolesRequest,
  PutRoleRequest,
  type Role,
} from '@olytix/proto'
import { z } from 'zod'
import { PassOn } from './call-context.js'
import { type CallContext, IdentityClient } from './identity.client.js'
import { moment, type Page, PageQuery, Text } from './text.schemas.js'

const PutRoleBody = z.strictObject({
  scopes: z.array(z.enum(['read', 'write', 'admin'])),
  description: Text.max(1000).default(''),
})

/** Roles over REST: each call is passed on with the caller's own credential. */
@Controller('api/v1/auth/roles')
@RequireScope('admin')
export class RolesController {
  constructor(private readonly identity: IdentityClient) {}

  @Get()
  async list(@PassOn() context: CallContext, @Query({ schema: PageQuery }) page: Page) {
    const { roles } = this.identity
    const request = ListRolesRequest.create(page)
    const answer = await this.identity.call(context, roles.listRoles.bind(roles), request)
    return { roles: answer.roles.map(roleToJson), next_page_token: answer.nextPageToken || null }
  }

  @Get(':name')
  async get(@PassOn() context: CallContext, @Param('name') name: string) {
    const { roles } = this.identity
    const request = GetRoleRequest.create({ name })
    return roleToJson((await this.identity.call(context, roles.getRole.bind(roles), request)).role)
  }

  @Put(':name')
  async put(
    @PassOn() context: CallContext,
    @Param('name') name: string,
    @Body({ schema: PutRoleBody }) body: z.output<typeof PutRoleBody>,
  ) {
    const { roles } = this.identity
    const request = PutRoleRequest.create({ name, ...body })
    return roleToJson((await this.identity.call(context, roles.putRole.bind(roles), request)).role)
  }

  @Delete(':name')
  @HttpCode(204)
  async delete(@PassOn() context: CallContext, @Param('name') name: string): Promise<void> {
    const { roles } = this.identity
    await this.identity.call(
      context,
      roles.deleteRole.bind(roles),
      DeleteRoleRequest.create({ name }),
    )
  }
}

function roleToJson(role: Role | undefined): Record<string, unknown> {
  if (!role) throw new Error('identity answered without a role')
  return {
    name: role.name,
    scopes: role.scopes,
    description: role.description,
    built_in: role.builtIn,
    updated_at: moment(role.updatedAt),
  }
}
