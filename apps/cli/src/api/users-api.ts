import {
  createdUser,
  type CreatedUser,
  oneTimeToken,
  type OneTimeToken,
  user,
  type User,
  userPage,
} from './identity-answers.js'
import { pages } from './pages.js'
import { call, command, type Endpoint } from './transport.js'

interface UserSettings {
  readonly name?: string | undefined
  readonly roles?: readonly string[] | undefined
  readonly attributes?: Readonly<Record<string, unknown>> | undefined
  readonly disabled?: boolean | undefined
}

/** The body of `POST /auth/users`. */
export interface NewUser extends UserSettings {
  readonly email: string
  readonly password?: string | undefined
}

/** The body of `PATCH /auth/users/{id}`: only what is named changes. */
export interface UserPatch extends UserSettings {
  readonly email?: string | undefined
  readonly email_verified?: boolean | undefined
}

const USERS = 'api/v1/auth/users'

/** Accounts. Every method throws what `call` throws. */
export class UsersApi {
  constructor(private readonly endpoint: Endpoint) {}

  create(body: NewUser): Promise<CreatedUser> {
    return call(this.endpoint, { method: 'POST', path: USERS, body }, createdUser)
  }

  /** All users, every page of them. */
  async list(): Promise<readonly User[]> {
    const users: User[] = []
    for await (const page of pages(this.endpoint, { path: USERS }, userPage)) {
      users.push(...page.users)
    }
    return users
  }

  get(id: string): Promise<User> {
    return call(this.endpoint, { method: 'GET', path: pathOf(id) }, user)
  }

  update(id: string, body: UserPatch): Promise<User> {
    return call(this.endpoint, { method: 'PATCH', path: pathOf(id), body }, user)
  }

  delete(id: string): Promise<void> {
    return command(this.endpoint, { method: 'DELETE', path: pathOf(id) })
  }

  /** A token with which the user chooses a new password. */
  resetPassword(id: string): Promise<OneTimeToken> {
    return call(
      this.endpoint,
      { method: 'POST', path: `${pathOf(id)}/reset-password` },
      oneTimeToken,
    )
  }
}

function pathOf(id: string): string {
  return `${USERS}/${encodeURIComponent(id)}`
}
