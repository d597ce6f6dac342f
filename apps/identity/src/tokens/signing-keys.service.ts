import type { JsonWebKey } from 'node:crypto'
import { Inject, Injectable } from '@nestjs/common'
import { Database, newId, type Queryable } from '@olytix/postgres'
import { AuditService } from '../audit/audit.service.js'
import type { Origin } from '../audit/origin.js'
import { ACCESS_TTL_SECONDS } from './access-token.js'
import { generateMaterial, type KeyAlgorithm, toPublicJwk } from './key-material.js'
import { aboutKey, KeyRing } from './key-ring.js'
import { seal, sealingKey } from './sealing.js'
import {
  activateKey,
  findSigningKey,
  insertSigningKey,
  listCurrentKeys,
  listSigningKeys,
  lockSigningKeys,
  retireKey,
  revokeRetiredKeys,
  revokeSigningKey,
  type SigningKeyRow,
} from './signing-keys.queries.js'
import { signingKeyNotFound } from './tokens.errors.js'
import { daysAfter, TOKENS_OPTIONS, type TokensOptions } from './tokens.options.js'

const BY_THE_SERVICE: Origin = { principal: null, requestId: 'schedule', clientIp: null }

/** How much longer than its tokens a retiring key lives, in milliseconds: clocks differ. */
const RETIREMENT_MARGIN_MS = 60_000

/**
 * The keys that sign access tokens and make refresh tokens. Each is made as `next`, so that everybody knows it before
 * it signs; then it is `active`, then `retiring` for as long as what it signed may still be in use, then `revoked`.
 */
@Injectable()
export class SigningKeysService {
  readonly ring: KeyRing
  private readonly sealingKey: Buffer
  private readonly algorithms: readonly KeyAlgorithm[]

  constructor(
    private readonly database: Database,
    private readonly audit: AuditService,
    @Inject(TOKENS_OPTIONS) private readonly options: TokensOptions,
  ) {
    this.sealingKey = sealingKey(options.masterKey)
    this.algorithms = [options.algorithm, 'HMAC-SHA-256']
    this.ring = new KeyRing(database, this.sealingKey)
  }

  /**
   * Makes the keys that are missing; the first start makes all. Several processes at once make one set.
   * @throws Error when the master key is not the one that sealed the keys in the database
   */
  async ensure(): Promise<void> {
    await this.database.transaction(async (transaction) => {
      await lockSigningKeys(transaction)
      await this.complete(transaction)
    })
    try {
      await this.ring.refresh()
    } catch (cause) {
      throw new Error(
        'OLYTIX_SECURITY__MASTER_KEY does not open the signing keys in the database',
        {
          cause,
        },
      )
    }
  }

  /** Newest first. */
  listSigningKeys(): Promise<SigningKeyRow[]> {
    return listSigningKeys(this.database)
  }

  /** Public keys that sign, will sign or have signed tokens that still count. Symmetric keys have no public half. */
  async publicKeys(): Promise<readonly JsonWebKey[]> {
    if (this.options.algorithm === 'HS256') return []
    await this.ring.refresh()
    return (await this.ring.ofAlgorithm(this.options.algorithm)).map(toPublicJwk)
  }

  /**
   * Makes the next keys the active ones. Tokens of the former ones keep their value.
   * @returns the key that signs access tokens from now on
   */
  async rotate(origin: Origin): Promise<SigningKeyRow> {
    return this.database.transaction(async (transaction) => {
      await lockSigningKeys(transaction)
      return this.advance(transaction, origin)
    })
  }

  /**
   * Stops a key at once, and all that it signed. If it was the active one, the next takes its place. A second time is
   * no error and no second event.
   * @throws AppError NOT_FOUND
   */
  async revoke(id: string, origin: Origin): Promise<void> {
    await this.database.transaction(async (transaction) => {
      await lockSigningKeys(transaction)
      const key = await findSigningKey(transaction, id)
      if (!key) throw signingKeyNotFound()
      if (!(await revokeSigningKey(transaction, id, this.options.now()))) return
      await this.complete(transaction)
      await this.recordRotation(transaction, origin, { before: key.state, after: 'revoked', id })
    })
  }

  /** What the schedule demands: rotates keys that have signed long enough, and revokes those that retired long ago. */
  async maintain(): Promise<void> {
    await this.ring.refresh()
    const now = this.options.now()
    await this.database.transaction(async (transaction) => {
      await lockSigningKeys(transaction)
      const { activated_at: since } = await this.currentOf(transaction, this.options.algorithm)
      if (since && daysAfter(since, this.options.rotationDays) <= now) {
        await this.advance(transaction, BY_THE_SERVICE)
      }
      const revoked = await revokeRetiredKeys(transaction, {
        at: now,
        accessSince: new Date(now.getTime() - ACCESS_TTL_SECONDS * 1000 - RETIREMENT_MARGIN_MS),
        refreshSince: new Date(
          daysAfter(now, -this.options.idleDays).getTime() - RETIREMENT_MARGIN_MS,
        ),
      })
      for (const id of revoked) {
        const change = { before: 'retiring', after: 'revoked', id }
        await this.recordRotation(transaction, BY_THE_SERVICE, change)
      }
    })
  }

  private async advance(transaction: Queryable, origin: Origin): Promise<SigningKeyRow> {
    const now = this.options.now()
    const before = await this.currentOf(transaction, this.options.algorithm)
    for (const key of await listCurrentKeys(transaction, this.algorithms)) {
      if (key.state === 'active') await retireKey(transaction, key.id, now)
    }
    await this.complete(transaction)
    const active = await this.currentOf(transaction, this.options.algorithm)
    const change = { before: before.id, after: active.id, id: active.id }
    await this.recordRotation(transaction, origin, change)
    return active
  }

  /** Of each algorithm one active and one next key; the next is promoted where no active one is left. */
  private async complete(transaction: Queryable): Promise<void> {
    const now = this.options.now()
    for (const algorithm of this.algorithms) {
      const current = await listCurrentKeys(transaction, [algorithm])
      let next = current.find(({ state }) => state === 'next')?.id
      if (!current.some(({ state }) => state === 'active')) {
        await activateKey(transaction, next ?? (await this.make(transaction, algorithm)), now)
        next = undefined
      }
      if (next === undefined) await this.make(transaction, algorithm)
    }
  }

  private async make(transaction: Queryable, algorithm: KeyAlgorithm): Promise<string> {
    const createdAt = this.options.now()
    const id = newId('sgk', createdAt)
    const material = await generateMaterial(algorithm)
    const sealed = seal(material, this.sealingKey, aboutKey(id, algorithm))
    await insertSigningKey(transaction, { id, algorithm, sealed, createdAt })
    return id
  }

  private async currentOf(transaction: Queryable, algorithm: KeyAlgorithm): Promise<SigningKeyRow> {
    const keys = await listCurrentKeys(transaction, [algorithm])
    const active = keys.find(({ state }) => state === 'active')
    if (!active) throw new Error(`no active signing key for ${algorithm}`)
    return active
  }

  private recordRotation(
    transaction: Queryable,
    origin: Origin,
    { id, before, after }: { id: string; before: string; after: string },
  ): Promise<void> {
    return this.audit.recordChange(
      transaction,
      {
        type: 'signing_key_rotated',
        subjectKind: 'signing_key',
        subjectId: id,
        data: { before, after },
      },
      origin,
    )
  }
}
