import type { Scope } from '@olytix/auth-guards'
import { invalidRequest, suggest } from '@olytix/errors'
import type {
  CreateKeyRequest,
  KeyChange,
  ListKeysRequest,
  RateLimit,
  RevokeKeyRequest,
  RotateKeyRequest,
  UpdateKeyRequest,
} from '@olytix/proto'
import { z } from 'zod'
import { isScope, SCOPES } from '../scopes/scopes.js'
import { canonicalCidr } from './allowed-ips.js'
import { type ApiKey, parseApiKey } from '@olytix/auth-guards/api-key'
import type { Attributes } from '../users/attributes.js'
import { wireAttributes } from '../users/attributes.schema.js'
import { parseMessage, parsePage, plainText } from '../users/message-text.js'
import { MAX_KEY_DAYS } from './key-expiry.js'
import { keyNotFound } from './keys.errors.js'

const MAX_ROLES = 50
const MAX_ADDRESSES = 100

/** What a new key shall be, checked as far as its own text goes. */
export interface NewKey {
  readonly name: string
  readonly description: string
  /** Empty: the default. */
  readonly scopes: readonly Scope[]
  /** Empty: the built-in role of the highest scope. Whether they exist is not known yet. */
  readonly roles: readonly string[]
  /** `undefined`: the default. */
  readonly expiresInDays: number | undefined
  readonly attributes: Attributes
  /** Canonical CIDR blocks; empty allows all. */
  readonly allowedIps: readonly string[]
  readonly rateLimit: { readonly requests: number; readonly perSeconds: number } | null
}

const scope = z.string().transform((value, context): Scope => {
  if (isScope(value)) return value
  const near = suggest(value, SCOPES)
  context.addIssue({
    code: 'custom',
    message: `must be one of ${SCOPES.join(', ')}`,
    params: { suggestion: near },
  })
  return z.NEVER
})

const cidr = z.string().transform((value, context): string => {
  const canonical = canonicalCidr(value)
  if (canonical !== undefined) return canonical
  context.addIssue({
    code: 'custom',
    message: 'must be an address or a CIDR block without host bits, such as 10.0.0.0/8',
  })
  return z.NEVER
})

const settings = z.object({
  name: plainText.min(1, 'must not be empty').max(200, 'must have at most 200 characters'),
  description: plainText.max(1000, 'must have at most 1,000 characters'),
  scopes: z.array(scope).max(SCOPES.length, 'names a scope twice'),
  roles: z.array(plainText.max(63)).max(MAX_ROLES, `has at most ${String(MAX_ROLES)} entries`),
  attributes: wireAttributes,
  allowed_ips: z.array(cidr).max(MAX_ADDRESSES, `has at most ${String(MAX_ADDRESSES)} entries`),
  rate_limit: z
    .object({
      requests: z.int().min(1, 'must be at least 1').max(1_000_000, 'must be at most 1,000,000'),
      per_seconds: z.int().min(1, 'must be at least 1').max(86_400, 'must be at most 86,400'),
    })
    .optional(),
})

const newKey = settings.extend({
  expires_in_days: z
    .int()
    .max(MAX_KEY_DAYS, `must be a number of days from 1 to ${String(MAX_KEY_DAYS)}`),
})

/**
 * Reads a CreateKey message.
 * @throws AppError INVALID_REQUEST with every problem at once, by the names that JSON uses
 */
export function parseNewKey(message: CreateKeyRequest): NewKey {
  const parsed = parseMessage(newKey, {
    name: message.name,
    description: message.description,
    scopes: message.scopes,
    roles: message.roles,
    expires_in_days: message.expiresInDays,
    attributes: message.attributes,
    allowed_ips: message.allowedIps,
    rate_limit: rateLimitIn(message),
  })
  const { expires_in_days: days, allowed_ips: allowedIps, rate_limit: limit, ...rest } = parsed
  return {
    ...rest,
    scopes: [...new Set(rest.scopes)],
    roles: [...new Set(rest.roles)],
    allowedIps: [...new Set(allowedIps)],
    expiresInDays: days === 0 ? undefined : days,
    rateLimit: rateLimitOut(limit),
  }
}

/** What shall change about a key: what is not there stays. */
export type KeyChanges = {
  readonly [Name in Exclude<keyof NewKey, 'expiresInDays'>]?: NewKey[Name] | undefined
} & { readonly disabled?: boolean | undefined }

const changes = settings.extend({
  scopes: settings.shape.scopes.min(1, 'must name at least one scope'),
  disabled: z.boolean(),
})
const CHANGEABLE = changes.keyof().options
const changesMask = z
  .array(z.enum(CHANGEABLE, `must be one of ${CHANGEABLE.join(', ')}`))
  .min(1, 'names nothing to change')

/**
 * Reads an UpdateKey message. A field that the mask names and the change leaves out is emptied.
 * @throws AppError INVALID_REQUEST with every problem at once, by the names that JSON uses
 */
export function parseKeyChanges({ change, updateMask }: UpdateKeyRequest): KeyChanges {
  const { update_mask: names } = parseMessage(z.object({ update_mask: changesMask }), {
    update_mask: updateMask ?? [],
  })
  const values = { ...EMPTIED, ...change, ...(change && snakeCased(change)) }
  const named = Object.entries(values).filter(([name]) => names.some((wanted) => wanted === name))
  const parsed = parseMessage(changes.partial(), Object.fromEntries(named))
  const { allowed_ips: allowedIps, rate_limit: limit, scopes, roles, ...rest } = parsed
  return {
    ...rest,
    ...(scopes && { scopes: [...new Set(scopes)] }),
    ...(roles && { roles: [...new Set(roles)] }),
    ...(allowedIps && { allowedIps: [...new Set(allowedIps)] }),
    ...(names.includes('rate_limit') && { rateLimit: rateLimitOut(limit) }),
  }
}

const EMPTIED = {
  name: '',
  description: '',
  scopes: [],
  roles: [],
  attributes: {},
  allowed_ips: [],
  rate_limit: undefined,
  disabled: false,
}

function snakeCased(change: KeyChange): object {
  return { allowed_ips: change.allowedIps, rate_limit: rateLimitIn(change) }
}

function rateLimitIn({ rateLimit }: { readonly rateLimit: RateLimit | undefined }) {
  return rateLimit && { requests: rateLimit.requests, per_seconds: rateLimit.perSeconds }
}

function rateLimitOut(
  limit: { readonly requests: number; readonly per_seconds: number } | undefined,
): NewKey['rateLimit'] {
  return limit ? { requests: limit.requests, perSeconds: limit.per_seconds } : null
}

const MAX_OVERLAP_SECONDS = 30 * 86_400

/** @throws AppError NOT_FOUND, INVALID_REQUEST */
export function parseRotation({ id, overlapSeconds }: RotateKeyRequest): {
  readonly id: string
  readonly overlapSeconds: number
} {
  if (overlapSeconds <= MAX_OVERLAP_SECONDS) return { id: parseKeyId(id), overlapSeconds }
  const message = `overlap_seconds must be at most ${String(MAX_OVERLAP_SECONDS)}, which is 30 days`
  throw invalidRequest([{ path: 'overlap_seconds', message }])
}

const KEY_ID = /^key_[0-9a-z]{21}$/
/** @throws AppError INVALID_REQUEST */
export function parseKeyPage(message: ListKeysRequest): {
  readonly pageSize: number
  readonly beforeId: string | null
} {
  const { pageSize, after } = parsePage(message, KEY_ID)
  return { pageSize, beforeId: after }
}

export function isKeyId(text: string): boolean {
  return KEY_ID.test(text)
}

/** @throws AppError NOT_FOUND: what cannot be an id is one that does not exist */
export function parseKeyId(id: string): string {
  if (!KEY_ID.test(id)) throw keyNotFound()
  return id
}

/**
 * Which key to revoke. What cannot be a key is one that does not exist.
 * @throws AppError INVALID_REQUEST when neither or both are given, NOT_FOUND
 */
export function parseRevocation({ id, secret }: RevokeKeyRequest): { id: string } | ApiKey {
  if (id !== undefined && secret === undefined) return { id: parseKeyId(id) }
  if (secret !== undefined && id === undefined) {
    const key = parseApiKey(secret)
    if (!key) throw keyNotFound()
    return key
  }
  throw invalidRequest([{ path: 'id', message: 'Name the key by its id or by the key itself' }])
}
