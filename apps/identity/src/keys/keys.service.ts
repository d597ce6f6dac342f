import { Inject, Injectable } from '@nestjs/common'
import type { Scope } from '@olytix/auth-guards'
import { forbidden, invalidRequest } from '@olytix/errors'
import { Database, type Queryable } from '@olytix/postgres'
import type { Origin, PrincipalOrigin } from '../audit/origin.js'
import { missingScopes } from '../scopes/scopes.js'
import { RolesService } from '../users/roles.service.js'
import type { ApiKey } from '@olytix/auth-guards/api-key'
import { DEFAULT_KEY_DAYS } from './key-expiry.js'
import { hashKey, type IssuedKey, KeyIssuer, type Lineage } from './key-issuer.service.js'
import { keyNotFound } from './keys.errors.js'
import { KEYS_OPTIONS, type KeysOptions } from './keys.options.js'
import {
  findHeldKey,
  findKey,
  findLineage,
  type HeldKeyRow,
  type KeyRow,
  listKeys,
} from './keys.queries.js'
import type { NewKey } from './keys.schemas.js'

/** A key with all that a decision needs, as of one moment. */
export type HeldKey = HeldKeyRow

/** API keys: issue, find, list. */
@Injectable()
export class KeysService {
  constructor(
    private readonly database: Database,
    private readonly roles: RolesService,
    private readonly issuer: KeyIssuer,
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
      const days = this.daysOf(wanted)
      return this.issuer.create(transaction, { ...wanted, scopes, lineage, days }, origin)
    })
  }

  /** Issues the ready-made key of the first admin, in the caller's transaction. */
  async createFirstKey(
    transaction: Queryable,
    secret: ApiKey,
    ownerId: string,
    origin: Origin,
  ): Promise<void> {
    const wanted = {
      name: 'First admin key',
      description: '',
      scopes: ['admin'],
      roles: [],
      attributes: {},
      allowedIps: [],
      rateLimit: null,
      secret,
      lineage: { ownerId, ancestorIds: [] },
      days: this.defaultDays,
    } as const
    await this.issuer.create(transaction, wanted, origin)
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

  /** The key behind a presented secret, whatever its state, with all that a decision needs. One statement. */
  findHeldKey(key: ApiKey): Promise<HeldKeyRow | undefined> {
    return findHeldKey(this.database, hashKey(key))
  }

  private get defaultDays(): number {
    return Math.min(DEFAULT_KEY_DAYS, this.options.maxDays ?? Infinity)
  }

  private daysOf({ expiresInDays }: NewKey): number {
    const { maxDays } = this.options
    if (expiresInDays === undefined) return this.defaultDays
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
