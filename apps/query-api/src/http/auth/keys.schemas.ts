import { CreateKeyRequest, type CreateKeyResponse, type Key } from '@olytix/proto'
import { z } from 'zod'
import { Attributes, attributesToJson } from './attributes.schemas.js'
import { lowerName, moment, Text } from './text.schemas.js'

const RateLimit = z
  .strictObject({
    requests: z.int().min(1).max(1_000_000),
    per_seconds: z.int().min(1).max(86_400),
  })
  .transform(({ requests, per_seconds }) => ({ requests, perSeconds: per_seconds }))

/** What may be said of a key when it is made and when it is changed. */
export const keySettings = {
  name: Text.min(1).max(200),
  scopes: z
    .array(z.enum(['read', 'write', 'admin']))
    .min(1)
    .optional(),
  roles: z.array(Text.min(1).max(63)).optional(),
  attributes: Attributes.optional(),
  allowed_ips: z.array(Text.min(1).max(64)).max(1000).optional(),
  rate_limit: RateLimit.optional(),
  description: Text.max(1000).optional(),
}

/** Body of `POST /auth/keys`. */
export const CreateKeyBody = z
  .strictObject({ ...keySettings, expires_in_days: z.int().min(1).max(36_500).optional() })
  .transform((body) =>
    CreateKeyRequest.create({
      name: body.name,
      scopes: body.scopes ?? [],
      expiresInDays: body.expires_in_days ?? 0,
      roles: body.roles ?? [],
      attributes: body.attributes ?? {},
      allowedIps: body.allowed_ips ?? [],
      rateLimit: body.rate_limit,
      description: body.description ?? '',
    }),
  )

/** A key as everybody may see it. */
export function keyToJson(key: Key | undefined): Record<string, unknown> {
  if (!key) throw new Error('identity answered without a key')
  return {
    id: key.id,
    name: key.name,
    hint: key.hint,
    status: lowerName(key.status, 'KEY_STATUS_'),
    scopes: key.scopes,
    roles: key.roles,
    attributes: attributesToJson(key.attributes),
    allowed_ips: key.allowedIps,
    rate_limit: key.rateLimit
      ? { requests: key.rateLimit.requests, per_seconds: key.rateLimit.perSeconds }
      : null,
    description: key.description,
    created_by: key.createdBy,
    owner_id: key.ownerId,
    rotated_from: key.rotatedFrom || null,
    rotated_to: key.rotatedTo || null,
    created_at: moment(key.createdAt),
    expires_at: moment(key.expiresAt),
    last_used_at: moment(key.lastUsedAt),
  }
}

/** The one answer that holds a key. */
export function createdKeyToJson({
  secret,
  key,
}: Pick<CreateKeyResponse, 'secret' | 'key'>): Record<string, unknown> {
  if (!key) throw new Error('identity answered without a key')
  return {
    id: key.id,
    key: secret,
    name: key.name,
    scopes: key.scopes,
    expires_at: moment(key.expiresAt),
    created_at: moment(key.createdAt),
  }
}
