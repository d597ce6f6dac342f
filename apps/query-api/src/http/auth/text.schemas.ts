import { z } from 'zod'

/** Neither NUL nor half a surrogate pair: PostgreSQL could not store them. */
export const Text = z
  .string()
  .refine((text) => !/[\0\p{Surrogate}]/u.test(text), 'holds a character that cannot be stored')

/** Query of every list: `page_size` and the `next_page_token` of the page before. */
export const PageQuery = z
  .object({
    page_size: z.coerce.number().int().min(1).max(1000).optional(),
    page_token: Text.max(500).optional(),
  })
  .transform(({ page_size, page_token }) => ({
    pageSize: page_size ?? 0,
    pageToken: page_token ?? '',
  }))

export type Page = z.output<typeof PageQuery>

/** A moment as JSON shows it; null when there is none. */
export function moment(date: Date | undefined): string | null {
  return date?.toISOString() ?? null
}

/** `KEY_STATUS_ACTIVE` without its prefix is `active`. */
export function lowerName(value: string, prefix: string): string {
  return value.replace(prefix, '').toLowerCase()
}

/** A date or moment in ISO 8601. */
export const Moment = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], {
    error: 'must be a date or a moment in ISO 8601: 2026-01-31 or 2026-01-31T12:00:00Z',
  })
  .transform((text) => new Date(text))
