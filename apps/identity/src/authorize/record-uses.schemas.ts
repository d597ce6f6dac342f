import { isIP } from 'node:net'
import { canonicalAddress } from '@olytix/auth-guards'
import { type ErrorDetail, invalidRequest } from '@olytix/errors'
import {
  DenialReason as WireReason,
  type KeyUse as WireUse,
  type RecordUsesRequest,
} from '@olytix/proto'
import { isMoment } from '../audit/moment.js'
import type { KeyUse } from '../keys/key-uses.service.js'
import { isKeyId } from '../keys/keys.schemas.js'
import { reasonOf } from './decision-message.js'

const MAX_USES = 1_000

/** @throws AppError INVALID_REQUEST with every problem at once */
export function parseUses({ uses }: RecordUsesRequest): KeyUse[] {
  if (uses.length > MAX_USES) {
    const message = `uses has at most ${String(MAX_USES)} entries`
    throw invalidRequest([{ path: 'uses', message }])
  }
  const problems = uses.flatMap((use, index) => problemsOf(use, `uses[${String(index)}]`))
  if (problems.length > 0) throw invalidRequest(problems)
  return uses.filter(({ requests }) => requests > 0).map(toUse)
}

function problemsOf(use: WireUse, path: string): ErrorDetail[] {
  const wrong = (field: string, must: string): ErrorDetail => ({
    path: `${path}.${field}`,
    message: `${path}.${field} must be ${must}`,
  })
  const problems: ErrorDetail[] = []
  if (!isKeyId(use.keyId)) problems.push(wrong('key_id', 'the id of a key'))
  if (!use.lastAt || !isMoment(use.lastAt)) problems.push(wrong('last_at', 'a moment'))
  if (outcomeOf(use) === undefined) problems.push(wrong('denial_reason', 'one that we know'))
  if (use.clientIp !== '' && isIP(canonicalAddress(use.clientIp)) === 0) {
    problems.push(wrong('client_ip', 'an IPv4 or IPv6 address'))
  }
  return problems
}

function toUse(use: WireUse): KeyUse {
  return {
    keyId: use.keyId,
    outcome: outcomeOf(use) ?? '',
    at: use.lastAt ?? new Date(0),
    clientIp: use.clientIp === '' ? null : canonicalAddress(use.clientIp),
    requests: use.requests,
  }
}

function outcomeOf({ denialReason }: WireUse): string | undefined {
  return denialReason === WireReason.DENIAL_REASON_UNSPECIFIED ? 'allowed' : reasonOf(denialReason)
}
