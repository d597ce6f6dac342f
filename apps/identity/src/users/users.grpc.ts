import { Controller } from '@nestjs/common'
import { GrpcMethod, Payload } from '@nestjs/microservices'
import { RequireScope } from '@olytix/auth-guards'
import type {
  CreateUserRequest,
  CreateUserResponse,
  DeleteUserRequest,
  DeleteUserResponse,
  GetUserRequest,
  GetUserResponse,
  ListUsersRequest,
  ListUsersResponse,
  ResetUserPasswordRequest,
  ResetUserPasswordResponse,
  UpdateUserRequest,
  UpdateUserResponse,
} from '@olytix/proto'
import { CurrentOrigin, type PrincipalOrigin } from '../audit/origin.js'
import { toUserMessage } from './user-message.js'
import { parseNewUser, parseUserChanges, parseUserId, parseUserPage } from './users.schemas.js'
import { UsersService } from './users.service.js'

/** `UserService`. */
@RequireScope('admin')
@Controller()
export class UsersController {
  constructor(private readonly users: UsersService) {}

  @GrpcMethod('UserService', 'CreateUser')
  async createUser(
    @Payload() request: CreateUserRequest,
    @CurrentOrigin() origin: PrincipalOrigin,
  ): Promise<CreateUserResponse> {
    const wanted = parseNewUser(request)
    const { user, invite } = await this.users.createUser(wanted.user, wanted.password, origin)
    return { user: toUserMessage(user), invite: invite ?? undefined }
  }

  @GrpcMethod('UserService', 'ListUsers')
  async listUsers(@Payload() request: ListUsersRequest): Promise<ListUsersResponse> {
    const { pageSize, after } = parseUserPage(request)
    const { users, nextId } = await this.users.listUsers(pageSize, after)
    return { users: users.map(toUserMessage), nextPageToken: nextId ?? '' }
  }

  @GrpcMethod('UserService', 'GetUser')
  async getUser(@Payload() request: GetUserRequest): Promise<GetUserResponse> {
    return { user: toUserMessage(await this.users.getUser(parseUserId(request.id))) }
  }

  @GrpcMethod('UserService', 'UpdateUser')
  async updateUser(
    @Payload() request: UpdateUserRequest,
    @CurrentOrigin() origin: PrincipalOrigin,
  ): Promise<UpdateUserResponse> {
    const id = parseUserId(request.id)
    const user = await this.users.updateUser(id, parseUserChanges(request), origin)
    return { user: toUserMessage(user) }
  }

  @GrpcMethod('UserService', 'DeleteUser')
  async deleteUser(
    @Payload() request: DeleteUserRequest,
    @CurrentOrigin() origin: PrincipalOrigin,
  ): Promise<DeleteUserResponse> {
    await this.users.deleteUser(parseUserId(request.id), origin)
    return {}
  }

  @GrpcMethod('UserService', 'ResetUserPassword')
  async resetUserPassword(
    @Payload() request: ResetUserPasswordRequest,
    @CurrentOrigin() origin: PrincipalOrigin,
  ): Promise<ResetUserPasswordResponse> {
    return { token: await this.users.resetPassword(parseUserId(request.id), origin) }
  }
}
