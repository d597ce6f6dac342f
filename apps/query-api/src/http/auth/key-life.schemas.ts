import {
  GetKeyUsageRequest,
  type GetKeyUsageResponse,
  KeyChange,
  RotateKeyRequest,
  UpdateKeyRequest,
  UsageGranularity,
} from '@olytix/proto'
import { z } from 'zod'
import { keySettings } from './keys.schemas.js'
import { Moment, moment, Text } from './text.schemas.js'

/** Body of `PATCH /auth/keys/{id}`: only what is named changes; `rate_limit: null` lifts the limit. */
export const UpdateKeyBody = z
  .strictObject({
    ...keySettings,
    rate_limit: keySettings.rate_limit.nullable(),
    disabled: z.boolean().optional(),
  })
  .partial()
  .refine((body) => Object.keys(body).length > 0, 'names nothing to change')
  .transform((body) =>
    UpdateKeyRequest.create({
      updateMask: Object.keys(body),
      change: KeyChange.create({
        name: body.name ?? '',
        scopes: body.scopes ?? [],
        roles: body.roles ?? [],
        attributes: body.attributes ?? {},
        allowedIps: body.allowed_ips ?? [],
        rateLimit: body.rate_limit ?? undefined,
        disabled: body.disabled ?? false,
        description: body.description ?? '',
      }),
    }),
  )

const MAX_OVERLAP_SECONDS = 30 * 86_400

/** Body of `POST /auth/keys/{id}/rotate`; without one the old key works for another day. */
export const RotateKeyBody = z
  .strictObject({ overlap_seconds: z.int().min(0).max(MAX_OVERLAP_SECONDS).default(86_400) })
  .prefault({})
  .transform(({ overlap_seconds }) => RotateKeyRequest.create({ overlapSeconds: overlap_seconds }))

/** Body of `POST /auth/keys/revoke`: a key that somebody found, or all keys of a user. */
export const RevokeBody = z.union(
  [
    z.strictObject({ key: Text.min(1).max(200) }),
    z.strictObject({ owner_id: Text.min(1).max(100) }),
  ],
  { error: 'expected {"key": "…"} or {"owner_id": "usr_…"}' },
)

const GRANULARITIES = {
  hour: UsageGranularity.USAGE_GRANULARITY_HOUR,
  day: UsageGranularity.USAGE_GRANULARITY_DAY,
} as const

/** Query of `GET /auth/keys/{id}/usage`. */
export const UsageQuery = z
  .object({
    from: Moment.optional(),
    to: Moment.optional(),
    granularity: z.enum(['hour', 'day']).default('day'),
  })
  .transform(({ from, to, granularity }) =>
    GetKeyUsageRequest.create({ from, to, granularity: GRANULARITIES[granularity] }),
  )

/** Requests by outcome, for each hour or day in which there were any. */
export function usageToJson(answer: GetKeyUsageResponse): Record<string, unknown> {
  return {
    usage: answer.buckets.map(({ start, requestsByOutcome }) => ({
      start: moment(start),
      requests: requestsByOutcome,
    })),
    last_client_ip: answer.lastClientIp || null,
  }
}
