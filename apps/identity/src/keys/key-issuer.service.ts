import { createHash, randomBytes } from 'node:crypto'
import { Inject, Injectable } from '@nestjs/common'
import { type ApiKey, generateApiKey } from '@olytix/auth-guards/api-key'
import { newId, type Queryable, violates } from '@olytix/postgres'
import { AuditService } from '../audit/audit.service.js'
import type { Origin } from '../audit/origin.js'
import { defaultRole } from '../scopes/scopes.js'
import { keyExpiry } from './key-expiry.js'
import { describeKey } from './key-trail.js'
import { roleGone } from './keys.errors.js'
import { KEYS_OPTIONS, type KeysOptions } from './keys.options.js'
import { findKey, insertKey, type KeyRow } from './keys.queries.js'
import type { NewKey } from './keys.schemas.js'

/** Whose a new key is: the user, and the keys between the user and it, nearest first. */
export interface Lineage {
  readonly ownerId: string
  readonly ancestorIds: readonly string[]
}

/** A key right after it was made: the only moment at which its secret is known. */
export interface IssuedKey {
  readonly secret: string
  readonly key: KeyRow
}

/** What a new key shall be, once everything about it is decided. */
export interface DecidedKey extends Omit<NewKey, 'expiresInDays'> {
  readonly lineage: Lineage
  /** Days from today on. */
  readonly days: number
  /** The key that it replaces. */
  readonly rotatedFrom?: string
  /** A ready-made one; a new one if left out. */
  readonly secret?: ApiKey
}

/** Makes keys, in the caller's transaction. Whoever calls has checked that it may be. */
@Injectable()
export class KeyIssuer {
  constructor(
    private readonly audit: AuditService,
    @Inject(KEYS_OPTIONS) private readonly options: KeysOptions,
  ) {}

  /**
   * Issues a key that replaces none, and records it. Call it last in its transaction.
   * @throws AppError CONFLICT when a role was deleted meanwhile
   */
  async create(transaction: Queryable, wanted: DecidedKey, origin: Origin): Promise<IssuedKey> {
    const issued = await this.issue(transaction, wanted)
    const data = { after: describeKey(issued.key) }
    const subjectId = issued.key.id
    const event = { type: 'key_created', subjectKind: 'key', subjectId, data } as const
    await this.audit.recordChange(transaction, event, origin)
    return issued
  }

  /** @throws AppError CONFLICT when a role was deleted meanwhile */
  async issue(transaction: Queryable, wanted: DecidedKey): Promise<IssuedKey> {
    const { secret: given, lineage, days, rotatedFrom = null, ...settings } = wanted
    const apiKey = given ?? generateApiKey(randomBytes)
    const createdAt = this.options.now()
    const id = newId('key', createdAt)
    try {
      await insertKey(transaction, {
        ...settings,
        ...lineage,
        id,
        rotatedFrom,
        roles: rolesOrDefault(wanted),
        createdAt,
        expiresAt: keyExpiry(createdAt, days),
        hint: apiKey.hint,
        secretHash: hashKey(apiKey),
      })
    } catch (error) {
      throw violates(error, 'key_roles__role_name') ? roleGone() : error
    }
    const key = await findKey(transaction, id)
    if (!key) throw new Error('a key that was just inserted is gone')
    return { secret: apiKey.secret, key }
  }
}

/** The roles of a key that is given none: the built-in role of its highest scope. */
export function rolesOrDefault({
  roles,
  scopes,
}: Pick<NewKey, 'roles' | 'scopes'>): readonly string[] {
  return roles.length > 0 ? roles : [defaultRole(scopes)]
}

/** What a key is stored and found by. */
export function hashKey({ secret }: ApiKey): Buffer {
  return createHash('sha256').update(secret).digest()
}
