import { type ErrorDetail, invalidRequest } from '@olytix/errors'
import { z } from 'zod'

/** Text that can be stored and shown: neither U+0000 nor half a character. */
export const plainText = z
  .string()
  .refine((value) => !/[\0\p{Surrogate}]/u.test(value), 'holds a character that is not text')

/** A schema's problem with its place as people write it in JSON: `roles[0]`, `attributes.region`. */
export function toDetail(issue: z.core.$ZodIssue): ErrorDetail {
  const path = issue.path.reduce<string>(
    (so, part) =>
      so + (typeof part === 'number' ? `[${String(part)}]` : `${so && '.'}${String(part)}`),
    '',
  )
  const suggestion: unknown = issue.code === 'custom' ? issue.params?.['suggestion'] : undefined
  const detail = { path, message: `${path} ${issue.message}` }
  return typeof suggestion === 'string' ? { ...detail, suggestion } : detail
}

/** @throws AppError INVALID_REQUEST with every problem at once, by the names that JSON uses */
export function parseMessage<T>(schema: z.ZodType<T>, message: unknown): T {
  const parsed = schema.safeParse(message)
  if (!parsed.success) throw invalidRequest(parsed.error.issues.map(toDetail))
  return parsed.data
}

const DEFAULT_PAGE = 100
const MAX_PAGE = 1000

/**
 * Reads `page_size` and `page_token` of a list.
 * @param pattern what a page token looks like: the last id of the page before
 * @throws AppError INVALID_REQUEST
 */
export function parsePage(
  { pageSize, pageToken }: { readonly pageSize: number; readonly pageToken: string },
  pattern: RegExp,
): { readonly pageSize: number; readonly after: string | null } {
  const problems: ErrorDetail[] = []
  if (pageSize > MAX_PAGE) {
    problems.push({ path: 'page_size', message: `page_size must be from 1 to ${String(MAX_PAGE)}` })
  }
  if (pageToken !== '' && !pattern.test(pageToken)) {
    problems.push({ path: 'page_token', message: 'page_token is not one that a list answered' })
  }
  if (problems.length > 0) throw invalidRequest(problems)
  return { pageSize: pageSize || DEFAULT_PAGE, after: pageToken || null }
}
