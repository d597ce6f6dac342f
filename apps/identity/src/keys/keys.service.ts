import { createHash, randomBytes } from 'node:crypto'
import { Inject, Injectable } from '@nestjs/common'
import type { Scope } from '@olytix/auth-guards'
import { forbidden, invalidRequest } from '@olytix/errors'
import { Database, newId, type Queryable } from '@olytix/postgres'
import { AuditService } from '../audit/audit.service.js'
import type { Origin, PrincipalOrigin } from '../audit/origin.js'
import { defaultRole, missingScopes } from '../scopes/scopes.js'
import { RolesService } from '../users/roles.service.js'
import { type ApiKey, generateApiKey } from '@olytix/auth-guards/api-key'
import { DEFAULT_KEY_DAYS, keyExpiry } from './key-expiry.js'
import { keyNotFound } from './keys.errors.js'
import {
  findHeldKey,
  findKey,
  findLineage,
  type HeldKeyRow,
  insertKey,
  type KeyRow,
  listKeys,
  revokeKey,
} from './keys.queries.js'
import type { NewKey } from './keys.schemas.js'

export interface KeysOptions {
  readonly now: () => Date
  /** Longest life of a new key in days, if the operator set one. */
  readonly maxDays: number | undefined
}

/** A key with all that a decision needs, as of one moment. */
export type HeldKey = HeldKeyRow

export const KEYS_OPTIONS = Symbol('KeysOptions')

/** Whose a new key is: the user, and the keys between the user and it, nearest first. */
interface Lineage {
  readonly ownerId: string
  readonly ancestorIds: readonly string[]
}

/** A key right after it was made: the only moment at which its secret is known. */
export interface IssuedKey {
  readonly secret: string
  readonly key: KeyRow
}

/** API keys: issue, find, list, revoke. */
@Injectable()
export class KeysService {
  constructor(
    private readonly database: Database,
    private readonly roles: RolesService,
    private readonly audit: AuditService,
    @Inject(KEYS_OPTIONS) private readonly options: KeysOptions,
  ) {}

  /**
   * Issues a key that belongs to whoever asks.
   * @throws AppError INVALID_REQUEST for an unknown role or too long a life, FORBIDDEN for a scope that the principal
   * does not hold
   */
  async createKey(wanted: NewKey, origin: PrincipalOrigin): Promise<IssuedKey> {
    const scopes: readonly Scope[] = wanted.scopes.length > 0 ? wanted.scopes : ['read']
    const missing = missingScopes(origin.principal.scopes, scopes)
    if (missing.length > 0) throw forbidden(`a key with ${missing.join(', ')} beyond its creator's`)
    const { id } = origin.principal
    return this.database.transaction(async (transaction) => {
      const lineage = await this.lineageOf(transaction, id)
      const unknown = await this.roles.unknownRoles(transaction, wanted.roles)
      if (unknown.length > 0) throw invalidRequest(unknown)
      const secret = generateApiKey(randomBytes)
      return this.insert(transaction, { ...wanted, scopes }, { secret, lineage, origin })
    })
  }

  /** Issues the ready-made key of the first admin, in the caller's transaction. */
  async createFirstKey(
    transaction: Queryable,
    secret: ApiKey,
    ownerId: string,
    origin: Origin,
  ): Promise<void> {
    const wanted: NewKey = {
      name: 'First admin key',
      description: '',
      scopes: ['admin'],
      roles: [],
      expiresInDays: undefined,
      attributes: {},
      allowedIps: [],
      rateLimit: null,
    }
    await this.insert(transaction, wanted, {
      secret,
      lineage: { ownerId, ancestorIds: [] },
      origin,
    })
  }

  /** Newest first. @returns one page and, unless it is the last, the id to go on from */
  async listKeys(
    pageSize: number,
    beforeId: string | null,
  ): Promise<{ readonly keys: readonly KeyRow[]; readonly nextId: string | null }> {
    const rows = await listKeys(this.database, { beforeId, limit: pageSize + 1 })
    const keys = rows.slice(0, pageSize)
    return { keys, nextId: rows.length > pageSize ? (keys.at(-1)?.id ?? null) : null }
  }

  /** @throws AppError NOT_FOUND */
  async getKey(id: string): Promise<KeyRow> {
    const key = await findKey(this.database, id)
    if (!key) throw keyNotFound()
    return key
  }

  /**
   * Revokes a key for good, by its id or by the key itself. Revoking twice is no error and no second event.
   * @throws AppError NOT_FOUND
   */
  async revokeKey(
    target: { readonly id: string } | ApiKey,
    origin: PrincipalOrigin,
  ): Promise<void> {
    const which = 'id' in target ? target : { secretHash: hash(target.secret) }
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

  /** The key behind a presented secret, whatever its state, with all that a decision needs. One statement. */
  findHeldKey(key: ApiKey): Promise<HeldKeyRow | undefined> {
    return findHeldKey(this.database, hash(key.secret))
  }

  private async insert(
    transaction: Queryable,
    wanted: NewKey,
    by: { readonly secret: ApiKey; readonly lineage: Lineage; readonly origin: Origin },
  ): Promise<IssuedKey> {
    const createdAt = this.options.now()
    const id = newId('key', createdAt)
    const roles = wanted.roles.length > 0 ? wanted.roles : [defaultRole(wanted.scopes)]
    const expiresAt = keyExpiry(createdAt, this.daysOf(wanted))
    await insertKey(transaction, {
      ...wanted,
      ...by.lineage,
      id,
      roles,
      createdAt,
      expiresAt,
      hint: by.secret.hint,
      secretHash: hash(by.secret.secret),
    })
    const key = await findKey(transaction, id)
    if (!key) throw new Error('a key that was just inserted is gone')
    const { scopes, attributes, allowedIps, rateLimit, name } = wanted
    const after = { name, scopes, roles, attributes, allowedIps, rateLimit, expiresAt }
    await this.audit.recordChange(
      transaction,
      { type: 'key_created', subjectKind: 'key', subjectId: id, data: { after } },
      by.origin,
    )
    return { secret: by.secret.secret, key }
  }

  private daysOf({ expiresInDays }: NewKey): number {
    const { maxDays } = this.options
    if (expiresInDays === undefined) return Math.min(DEFAULT_KEY_DAYS, maxDays ?? Infinity)
    if (maxDays === undefined || expiresInDays <= maxDays) return expiresInDays
    const message = `expires_in_days must be at most ${String(maxDays)} here`
    throw invalidRequest([{ path: 'expires_in_days', message }])
  }

  private async lineageOf(transaction: Queryable, principalId: string): Promise<Lineage> {
    const creator = await findLineage(transaction, principalId)
    return creator
      ? { ownerId: creator.owner_id, ancestorIds: creator.ancestor_ids }
      : { ownerId: principalId, ancestorIds: [] }
  }
}

function hash(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
