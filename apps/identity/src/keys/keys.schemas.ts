import type { AttributeValue, Scope } from '@olytix/auth-guards'
import { type ErrorDetail, invalidRequest, suggest } from '@olytix/errors'
import type {
  AttributeValue as WireAttribute,
  CreateKeyRequest,
  ListKeysRequest,
  RevokeKeyRequest,
} from '@olytix/proto'
import { z } from 'zod'
import { isScope, SCOPES } from '../scopes/scopes.js'
import { canonicalCidr } from './allowed-ips.js'
import { type ApiKey, parseApiKey } from '@olytix/auth-guards/api-key'
import { ATTRIBUTE_NAME, type Attributes, fromWire } from '../users/attributes.js'
import { MAX_KEY_DAYS } from './key-expiry.js'
import { keyNotFound } from './keys.errors.js'

const MAX_ROLES = 50
const MAX_ADDRESSES = 100
const MAX_ATTRIBUTES = 100
const MAX_LIST = 1000

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

/** Text that can be stored and shown: neither U+0000 nor half a character. */
const text = z
  .string()
  .refine((value) => !/[\0\p{Surrogate}]/u.test(value), 'holds a character that is not text')

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

const attribute = z.custom<WireAttribute>().transform((value, context): AttributeValue => {
  const parsed = fromWire(value)
  const texts = [parsed].flat().filter((element) => typeof element === 'string')
  if (parsed !== undefined && texts.every((element) => text.safeParse(element).success)) {
    if (typeof parsed !== 'object' || parsed.length <= MAX_LIST) return parsed
  }
  context.addIssue({
    code: 'custom',
    message: `must be text, a finite number, true or false, or a list of at most ${String(MAX_LIST)} of them`,
  })
  return z.NEVER
})

const attributes = z
  .record(z.string(), attribute)
  .refine(
    (value) => Object.keys(value).every((name) => ATTRIBUTE_NAME.test(name)),
    'names consist of a-z, 0-9 and _, do not start with a digit and have at most 63 characters',
  )
  .refine(
    (value) => Object.keys(value).length <= MAX_ATTRIBUTES,
    `has at most ${String(MAX_ATTRIBUTES)} entries`,
  )

const newKey = z.object({
  name: text.min(1, 'must not be empty').max(200, 'must have at most 200 characters'),
  description: text.max(1000, 'must have at most 1,000 characters'),
  scopes: z.array(scope).max(SCOPES.length, 'names a scope twice'),
  roles: z.array(text.max(63)).max(MAX_ROLES, `has at most ${String(MAX_ROLES)} entries`),
  expires_in_days: z
    .int()
    .max(MAX_KEY_DAYS, `must be a number of days from 1 to ${String(MAX_KEY_DAYS)}`),
  attributes,
  allowed_ips: z.array(cidr).max(MAX_ADDRESSES, `has at most ${String(MAX_ADDRESSES)} entries`),
  rate_limit: z
    .object({
      requests: z.int().min(1, 'must be at least 1').max(1_000_000, 'must be at most 1,000,000'),
      per_seconds: z.int().min(1, 'must be at least 1').max(86_400, 'must be at most 86,400'),
    })
    .optional(),
})

/**
 * Reads a CreateKey message.
 * @throws AppError INVALID_REQUEST with every problem at once, by the names that JSON uses
 */
export function parseNewKey(message: CreateKeyRequest): NewKey {
  const parsed = newKey.safeParse({
    name: message.name,
    description: message.description,
    scopes: message.scopes,
    roles: message.roles,
    expires_in_days: message.expiresInDays,
    attributes: message.attributes,
    allowed_ips: message.allowedIps,
    rate_limit: message.rateLimit && {
      requests: message.rateLimit.requests,
      per_seconds: message.rateLimit.perSeconds,
    },
  })
  if (!parsed.success) throw invalidRequest(parsed.error.issues.map(toDetail))
  const { expires_in_days: days, allowed_ips: allowedIps, rate_limit: limit, ...rest } = parsed.data
  return {
    ...rest,
    scopes: [...new Set(rest.scopes)],
    roles: [...new Set(rest.roles)],
    allowedIps: [...new Set(allowedIps)],
    expiresInDays: days === 0 ? undefined : days,
    rateLimit: limit ? { requests: limit.requests, perSeconds: limit.per_seconds } : null,
  }
}

/** `roles[0]`, `attributes.region`: how people write a place in JSON. */
function toDetail(issue: z.core.$ZodIssue): ErrorDetail {
  const path = issue.path.reduce<string>(
    (so, part) =>
      so + (typeof part === 'number' ? `[${String(part)}]` : `${so && '.'}${String(part)}`),
    '',
  )
  const suggestion: unknown = issue.code === 'custom' ? issue.params?.['suggestion'] : undefined
  const detail = { path, message: `${path} ${issue.message}` }
  return typeof suggestion === 'string' ? { ...detail, suggestion } : detail
}

const KEY_ID = /^key_[0-9a-z]{21}$/
const DEFAULT_PAGE = 100
const MAX_PAGE = 1000

/** @throws AppError INVALID_REQUEST */
export function parseKeyPage({ pageSize, pageToken }: ListKeysRequest): {
  readonly pageSize: number
  readonly beforeId: string | null
} {
  const problems: ErrorDetail[] = []
  if (pageSize > MAX_PAGE) {
    problems.push({ path: 'page_size', message: `page_size must be from 1 to ${String(MAX_PAGE)}` })
  }
  if (pageToken !== '' && !KEY_ID.test(pageToken)) {
    problems.push({ path: 'page_token', message: 'page_token is not one that a list answered' })
  }
  if (problems.length > 0) throw invalidRequest(problems)
  return { pageSize: pageSize || DEFAULT_PAGE, beforeId: pageToken || null }
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
