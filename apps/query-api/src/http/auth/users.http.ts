import {
  Body,
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  Param,
  Patch,
  Post,
  Query,
} from '@nestjs/common'
import { RequireScope } from '@olytix/auth-guards'
import {
  CreateUserRequest,
  DeleteUserRequest,
  GetUserRequest,
  ListUsersRequest,
  ResetUserPasswordRequest,
  UpdateUserRequest,
} from '@olytix/proto'
import { PassOn } from './call-context.js'
import { type CallContext, IdentityClient } from './identity.client.js'
import { moment, type Page, PageQuery } from './text.schemas.js'
import { CreateUserBody, createdUserToJson, UpdateUserBody, userToJson } from './users.schemas.js'

/** Accounts over REST: each call is passed on with the caller's own credential. */
@Controller('api/v1/auth/users')
@RequireScope('admin')
export class UsersController {
  constructor(private readonly identity: IdentityClient) {}

  @Post()
  @Header('cache-control', 'no-store')
  async create(
    @PassOn() context: CallContext,
    @Body({ schema: CreateUserBody }) body: CreateUserRequest,
  ) {
    const { users } = this.identity
    return createdUserToJson(await this.identity.call(context, users.createUser.bind(users), body))
  }

  @Get()
  async list(@PassOn() context: CallContext, @Query({ schema: PageQuery }) page: Page) {
    const { users } = this.identity
    const request = ListUsersRequest.create(page)
    const answer = await this.identity.call(context, users.listUsers.bind(users), request)
    return { users: answer.users.map(userToJson), next_page_token: answer.nextPageToken || null }
  }

  @Get(':id')
  async get(@PassOn() context: CallContext, @Param('id') id: string) {
    const { users } = this.identity
    const request = GetUserRequest.create({ id })
    return userToJson((await this.identity.call(context, users.getUser.bind(users), request)).user)
  }

  @Patch(':id')
  async update(
    @PassOn() context: CallContext,
    @Param('id') id: string,
    @Body({ schema: UpdateUserBody }) body: UpdateUserRequest,
  ) {
    const { users } = this.identity
    const request = { ...body, id }
    return userToJson(
      (await this.identity.call(context, users.updateUser.bind(users), request)).user,
    )
  }

  @Delete(':id')
  @HttpCode(204)
  async delete(@PassOn() context: CallContext, @Param('id') id: string): Promise<void> {
    const { users } = this.identity
    await this.identity.call(
      context,
      users.deleteUser.bind(users),
      DeleteUserRequest.create({ id }),
    )
  }

  @Post(':id/reset-password')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  async resetPassword(@PassOn() context: CallContext, @Param('id') id: string) {
    const { users } = this.identity
    const request = ResetUserPasswordRequest.create({ id })
    const { token } = await this.identity.call(
      context,
      users.resetUserPassword.bind(users),
      request,
    )
    return { token: token?.secret, expires_at: moment(token?.expiresAt) }
  }
}
