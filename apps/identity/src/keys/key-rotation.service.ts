import { Inject, Injectable } from '@nestjs/common'
import { Database } from '@olytix/postgres'
import { KeyStatus } from '@olytix/proto'
import { type AuditEvent, AuditService } from '../audit/audit.service.js'
import type { PrincipalOrigin } from '../audit/origin.js'
import { daysOfLife } from './key-expiry.js'
import { type IssuedKey, KeyIssuer } from './key-issuer.service.js'
import { findLife, lockKey, revokeLiveKey, rotateOutKey } from './key-life.queries.js'
import { keyStatus } from './key-message.js'
import { settingsOf } from './key-settings.js'
import { keyNotFound, keyNotRotatable } from './keys.errors.js'
import { KEYS_OPTIONS, type KeysOptions } from './keys.options.js'
import { findKey, type KeyRow } from './keys.queries.js'

/** Replaces keys by new ones. */
@Injectable()
export class KeyRotationService {
  constructor(
    private readonly database: Database,
    private readonly issuer: KeyIssuer,
    private readonly audit: AuditService,
    @Inject(KEYS_OPTIONS) private readonly options: KeysOptions,
  ) {}

  /**
   * Issues a key with the settings, the owner and the original length of life of another, which ends after the overlap:
   * at once if that is 0. A key that the other one itself replaced ends now: at most two work at a time.
   * @throws AppError NOT_FOUND, CONFLICT for a key that is replaced, disabled, expired or revoked
   */
  async rotateKey(id: string, overlapSeconds: number, origin: PrincipalOrigin): Promise<IssuedKey> {
    return this.database.transaction(async (transaction) => {
      await lockKey(transaction, id)
      const old = await findKey(transaction, id)
      const life = old && (await findLife(transaction, id))
      if (!life) throw keyNotFound()
      const now = this.options.now()
      const status = keyStatus(old, now)
      if (status !== KeyStatus.KEY_STATUS_ACTIVE) throw keyNotRotatable(old, status)
      const days = Math.min(
        daysOfLife(old.created_at, life.expires_at),
        this.options.maxDays ?? Infinity,
      )
      const lineage = { ownerId: life.owner_id, ancestorIds: life.ancestor_ids }
      const issued = await this.issuer.issue(transaction, {
        ...settingsOf(old),
        days,
        lineage,
        rotatedFrom: id,
      })
      if (overlapSeconds === 0) await revokeLiveKey(transaction, id, now)
      else await rotateOutKey(transaction, id, new Date(now.getTime() + overlapSeconds * 1000))
      const outdated = old.rotated_from
      const ended = outdated !== null && (await revokeLiveKey(transaction, outdated, now))
      const events = [
        rotated(id, issued.key, overlapSeconds),
        ...(ended ? [replaced(outdated)] : []),
      ]
      await this.audit.recordChanges(transaction, events, origin)
      return issued
    })
  }
}

function rotated(id: string, successor: KeyRow, overlapSeconds: number): AuditEvent {
  const data = {
    rotated_to: successor.id,
    overlap_seconds: overlapSeconds,
    expires_at: successor.expires_at,
  }
  return { type: 'key_rotated', subjectKind: 'key', subjectId: id, data }
}

function replaced(id: string): AuditEvent {
  const data = { reason: 'the key that replaced it was rotated' }
  return { type: 'key_revoked', subjectKind: 'key', subjectId: id, data }
}
