import {
  CreateUserRequest,
  type CreateUserResponse,
  UpdateUserRequest,
  type User,
  UserChange,
} from '@olytix/proto'
import { z } from 'zod'
import { Attributes, attributesToJson } from './attributes.schemas.js'
import { moment, Text } from './text.schemas.js'

const RoleNames = z.array(Text.min(1).max(63)).max(100)
const Email = Text.min(3).max(320)

/** Body of `POST /auth/users`. */
export const CreateUserBody = z
  .strictObject({
    email: Email,
    name: Text.max(200).optional(),
    password: Text.optional(),
    roles: RoleNames.optional(),
    attributes: Attributes.optional(),
    disabled: z.boolean().optional(),
  })
  .transform((body) =>
    CreateUserRequest.create({
      email: body.email,
      name: body.name ?? '',
      password: body.password,
      roles: body.roles ?? [],
      attributes: body.attributes ?? {},
      disabled: body.disabled ?? false,
    }),
  )

/** Body of `PATCH /auth/users/{id}`: only what is named changes. */
export const UpdateUserBody = z
  .strictObject({
    email: Email.optional(),
    name: Text.max(200).optional(),
    roles: RoleNames.optional(),
    attributes: Attributes.optional(),
    disabled: z.boolean().optional(),
    email_verified: z.boolean().optional(),
  })
  .refine((body) => Object.keys(body).length > 0, 'names nothing to change')
  .transform((body) =>
    UpdateUserRequest.create({
      updateMask: Object.keys(body),
      change: UserChange.create({
        email: body.email ?? '',
        name: body.name ?? '',
        roles: body.roles ?? [],
        attributes: body.attributes ?? {},
        disabled: body.disabled ?? false,
        emailVerified: body.email_verified ?? false,
      }),
    }),
  )

/** A user as an administrator sees it. */
export function userToJson(user: User | undefined): Record<string, unknown> {
  if (!user) throw new Error('identity answered without a user')
  return {
    id: user.id,
    email: user.email,
    name: user.name,
    roles: user.roles,
    attributes: attributesToJson(user.attributes),
    disabled: user.disabled,
    email_verified: user.emailVerified,
    password_set: user.passwordSet,
    created_at: moment(user.createdAt),
    last_login_at: moment(user.lastLoginAt),
  }
}

/** The new user; with `invite_token` and `invite_expires_at` if no password was given. */
export function createdUserToJson({ user, invite }: CreateUserResponse): Record<string, unknown> {
  return invite
    ? {
        ...userToJson(user),
        invite_token: invite.secret,
        invite_expires_at: moment(invite.expiresAt),
      }
    : userToJson(user)
}
