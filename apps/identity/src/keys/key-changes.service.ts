import { Inject, Injectable } from '@nestjs/common'
import type { ApiKey } from '@olytix/auth-guards/api-key'
import { forbidden, invalidRequest } from '@olytix/errors'
import { Database, type Queryable, violates } from '@olytix/postgres'
import { AuditService } from '../audit/audit.service.js'
import type { PrincipalOrigin } from '../audit/origin.js'
import { missingScopes } from '../scopes/scopes.js'
import { RolesService } from '../users/roles.service.js'
import { userNotFound } from '../users/users.errors.js'
import { hashKey, rolesOrDefault } from './key-issuer.service.js'
import {
  isUser,
  type KeySettings,
  lockKey,
  revokeKeysOfOwner,
  updateKey,
  updateKeyRoles,
} from './key-life.queries.js'
import { settingsOf } from './key-settings.js'
import { changedParts } from './key-trail.js'
import { keyNotFound, keyRevoked, roleGone } from './keys.errors.js'
import { KEYS_OPTIONS, type KeysOptions } from './keys.options.js'
import { findKey, type KeyRow, revokeKey } from './keys.queries.js'
import type { KeyChanges } from './keys.schemas.js'

/** Changes of keys that exist. */
@Injectable()
export class KeyChangesService {
  constructor(
    private readonly database: Database,
    private readonly roles: RolesService,
    private readonly audit: AuditService,
    @Inject(KEYS_OPTIONS) private readonly options: KeysOptions,
  ) {}

  /**
   * Changes the settings of a key. What changes nothing is no event.
   * @throws AppError NOT_FOUND, INVALID_REQUEST for an unknown role, FORBIDDEN for a scope that the principal does not
   * hold, CONFLICT for a key that is revoked
   */
  async updateKey(id: string, changes: KeyChanges, origin: PrincipalOrigin): Promise<KeyRow> {
    const missing = missingScopes(origin.principal.scopes, changes.scopes ?? [])
    if (missing.length > 0) throw forbidden(`a key with ${missing.join(', ')} beyond its changer's`)
    return this.database.transaction(async (transaction) => {
      await lockKey(transaction, id)
      const before = await findKey(transaction, id)
      if (!before) throw keyNotFound()
      if (before.revoked_at) throw keyRevoked()
      const unknown = await this.roles.unknownRoles(transaction, changes.roles ?? [])
      if (unknown.length > 0) throw invalidRequest(unknown)
      const settings = changedSettings(before, changes, this.options.now())
      await write(transaction, id, settings)
      const after = await findKey(transaction, id)
      if (!after) throw new Error('a key that is locked is gone')
      const data = changedParts(before, after)
      if (data) {
        const event = { type: 'key_updated', subjectKind: 'key', subjectId: id, data } as const
        await this.audit.recordChange(transaction, event, origin)
      }
      return after
    })
  }

  /**
   * Revokes a key for good, by its id or by the key itself. Revoking twice is no error and no second event.
   * @throws AppError NOT_FOUND
   */
  async revokeKey(
    target: { readonly id: string } | ApiKey,
    origin: PrincipalOrigin,
  ): Promise<void> {
    const which = 'id' in target ? target : { secretHash: hashKey(target) }
    await this.database.transaction(async (transaction) => {
      const revoked = await revokeKey(transaction, which, this.options.now())
      if (!revoked) throw keyNotFound()
      if (!revoked.changed) return
      await this.audit.recordChange(
        transaction,
        { type: 'key_revoked', subjectKind: 'key', subjectId: revoked.id },
        origin,
      )
    })
  }

  /**
   * Revokes all keys of a user, one event for each.
   * @returns how many were not revoked before
   * @throws AppError NOT_FOUND for an unknown user
   */
  async revokeKeysOfOwner(ownerId: string, origin: PrincipalOrigin): Promise<number> {
    return this.database.transaction(async (transaction) => {
      if (!(await isUser(transaction, ownerId))) throw userNotFound()
      const ids = await revokeKeysOfOwner(transaction, ownerId, this.options.now())
      const data = { reason: 'all keys of the owner', owner_id: ownerId }
      const events = ids.map(
        (subjectId) => ({ type: 'key_revoked', subjectKind: 'key', subjectId, data }) as const,
      )
      await this.audit.recordChanges(transaction, events, origin)
      return ids.length
    })
  }
}

async function write(transaction: Queryable, id: string, settings: KeySettings): Promise<void> {
  try {
    await updateKey(transaction, id, settings)
    await updateKeyRoles(transaction, id, settings.roles)
  } catch (error) {
    throw violates(error, 'key_roles__role_name') ? roleGone() : error
  }
}

function changedSettings(before: KeyRow, changes: KeyChanges, now: Date): KeySettings {
  const { disabled, ...rest } = changes
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
  const settings: KeySettings = { ...settingsOf(before), ...given }
  return {
    ...settings,
    roles: rolesOrDefault(changes.roles ? settings : { ...settings, roles: before.roles }),
    disabledAt: disabledAt(before, disabled, now),
  }
}

function disabledAt(before: KeyRow, disabled: boolean | undefined, now: Date): Date | null {
  if (disabled === undefined) return before.disabled_at
  return disabled ? (before.disabled_at ?? now) : null
}
