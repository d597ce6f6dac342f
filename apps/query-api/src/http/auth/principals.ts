import type { Principal } from '@olytix/auth-guards'
import { AppError } from '@olytix/errors'
import {
  GetKeyRequest,
  GetUserRequest,
  type Key,
  KeyStatus,
  ListUsersRequest,
  type User,
} from '@olytix/proto'
import type { OtherPrincipal } from '../../query/explain.service.js'
import { attributesFromWire } from './attributes.schemas.js'
import type { CallContext, IdentityClient } from './identity.client.js'

const PAGE = 1000

/** Finds principals for admins: identity decides by the caller's own credential whether they may know. */
export interface Principals {
  /** @param text `usr_…`, `key_…` or an e-mail address. @throws AppError NOT_FOUND, FORBIDDEN */
  find(context: CallContext, text: string): Promise<OtherPrincipal>
}

export class IdentityPrincipals implements Principals {
  constructor(private readonly identity: IdentityClient) {}

  async find(context: CallContext, text: string): Promise<OtherPrincipal> {
    if (text.includes('@')) return fromUser(await this.userByEmail(context, text))
    const { users, keys } = this.identity
    if (text.startsWith('key_')) {
      const request = GetKeyRequest.create({ id: text })
      return fromKey((await this.identity.call(context, keys.getKey.bind(keys), request)).key)
    }
    const request = GetUserRequest.create({ id: text })
    return fromUser((await this.identity.call(context, users.getUser.bind(users), request)).user)
  }

  private async userByEmail(context: CallContext, email: string): Promise<User> {
    const { users } = this.identity
    let pageToken = ''
    do {
      const request = ListUsersRequest.create({ pageSize: PAGE, pageToken })
      const page = await this.identity.call(context, users.listUsers.bind(users), request)
      const found = page.users.find((user) => isSame(user.email, email))
      if (found) return found
      pageToken = page.nextPageToken
    } while (pageToken)
    throw new AppError('NOT_FOUND', 'Nobody has this e-mail address')
  }
}

function isSame(one: string, other: string): boolean {
  return one.trim().toLowerCase() === other.trim().toLowerCase()
}

function fromUser(user: User | undefined): OtherPrincipal {
  if (!user) throw new Error('identity answered without a user')
  const { id, email, name, roles, attributes, disabled } = user
  const known = { id, name, roles, attributes: attributesFromWire(attributes) }
  return { principal: principal({ ...known, kind: 'user', email }), isActive: !disabled }
}

function fromKey(key: Key | undefined): OtherPrincipal {
  if (!key) throw new Error('identity answered without a key')
  const { id, name, roles, attributes, status } = key
  const known = { id, name, roles, attributes: attributesFromWire(attributes) }
  const isActive =
    status === KeyStatus.KEY_STATUS_ACTIVE || status === KeyStatus.KEY_STATUS_ROTATING
  return { principal: principal({ ...known, kind: 'api_key', email: null }), isActive }
}

/** Scopes play no part in what rows and members a question gives. */
function principal(known: Omit<Principal, 'scopes' | 'expiresAt'>): Principal {
  return { ...known, scopes: [], expiresAt: null }
}
