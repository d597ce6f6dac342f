/** Settings of users. */
export interface UsersOptions {
  readonly now: () => Date
}

export const USERS_OPTIONS = Symbol('UsersOptions')
