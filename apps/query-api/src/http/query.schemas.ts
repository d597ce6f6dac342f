import { formatPath, isDeeperThan, shapeProblems, strict } from '@olytix/config/yaml'
import { type ErrorDetail, invalidRequest } from '@olytix/errors'
import { z } from 'zod'
import {
  filterDepth,
  filterLeaves,
  filterNode,
  MAX_FILTER_DEPTH,
  text,
} from '../project/filter-shape.js'
import type { Question } from '../query/prepare-question.js'

const MAX_MEMBERS = 50
const MAX_FILTER_LEAVES = 100
const MAX_LIMIT = 50_000
const DEFAULT_LIMIT = 1000

/** The greatest limit of answers that are not held in memory. */
export const MAX_STREAMED = 10_000_000

/** What is nested deeper cannot be a question: a level of filters is an object and a list, around a leaf's values. */
const MAX_BODY_DEPTH = 2 * MAX_FILTER_DEPTH + 3

const names = z.array(text().min(1)).max(MAX_MEMBERS, `at most ${String(MAX_MEMBERS)} names`)

const filters = z.array(filterNode).superRefine((nodes, ctx) => {
  const leaves = filterLeaves(nodes).length
  if (filterDepth(nodes) > MAX_FILTER_DEPTH) {
    ctx.addIssue(`may be nested ${String(MAX_FILTER_DEPTH)} deep`)
  }
  if (leaves > MAX_FILTER_LEAVES) {
    ctx.addIssue(`at most ${String(MAX_FILTER_LEAVES)} comparisons; these are ${String(leaves)}`)
  }
})

const wholeNumber = z.int('expected a whole number').min(0, 'expected 0 or more')

/** `12 months` */
const interval = z
  .string()
  .regex(/^[1-9]\d{0,4} [a-z]+$/, 'expected a number of periods such as "12 months"')
  .transform((written) => {
    const [count = '', unit = ''] = written.split(' ')
    return { count: Number(count), unit: unit.replace(/s$/, '') }
  })

interface RangeShape {
  readonly dimension: string
  readonly start?: string | undefined
  readonly end?: string | undefined
  readonly last?: { readonly count: number; readonly unit: string } | undefined
}

function toRange(
  { dimension, start, end, last }: RangeShape,
  ctx: z.RefinementCtx,
): NonNullable<Question['timeRange']> {
  if (last && start === undefined && end === undefined) return { dimension, last }
  if (!last && start !== undefined && end !== undefined) return { dimension, start, end }
  ctx.addIssue('expected start and end, or last')
  return z.NEVER
}

/** The body of a question. */
export const queryBody = strict({
  metrics: names.default([]),
  dimensions: names.default([]),
  filters: filters.default([]),
  segments: names.default([]),
  time_range: strict({
    dimension: text(),
    start: text().optional(),
    end: text().optional(),
    last: interval.optional(),
  })
    .transform(toRange)
    .optional(),
  total_rows: z.boolean().optional(),
  totals: z.boolean().optional(),
  fill: z.boolean().optional(),
  order_by: z
    .array(strict({ field: text(), direction: z.enum(['asc', 'desc']).default('asc') }))
    .max(MAX_MEMBERS)
    .default([]),
  limit: wholeNumber.default(DEFAULT_LIMIT),
  offset: wholeNumber.default(0),
  timezone: text().default('UTC'),
  timeout_ms: z.int().min(1).max(300_000).optional(),
  /** Only cubes with a `refresh_key` are cached at all. */
  cache: z.enum(['default', 'bypass']).default('default'),
})

/**
 * A question from a request's body.
 * @throws AppError INVALID_REQUEST with every problem and its path
 */
export function parseQuestion(body: unknown, maxLimit = MAX_LIMIT): Question {
  const parsed = checkQuestion(body, maxLimit)
  if ('metrics' in parsed) return parsed
  throw invalidRequest(parsed)
}

/** A question, or all that is wrong with the body. */
export function checkQuestion(
  body: unknown,
  maxLimit = MAX_LIMIT,
): Question | readonly ErrorDetail[] {
  if (isDeeperThan(body, MAX_BODY_DEPTH)) {
    return [{ path: 'filters', message: `may be nested ${String(MAX_FILTER_DEPTH)} deep` }]
  }
  const parsed = queryBody.safeParse(body, { reportInput: true })
  if (!parsed.success) {
    return shapeProblems(parsed.error).map(({ path, message, suggestion }) => {
      const where = { path: formatPath(path), message }
      return suggestion === undefined ? where : { ...where, suggestion }
    })
  }
  if (parsed.data.limit > maxLimit) {
    return [{ path: 'limit', message: `at most ${String(maxLimit)}` }]
  }
  const {
    time_range: timeRange,
    order_by: orderBy,
    timeout_ms: timeoutMs,
    total_rows: totalRows,
    ...rest
  } = parsed.data
  return { ...rest, timeRange, orderBy, timeoutMs, totalRows }
}

/**
 * The same question from the parameters of an address: lists with commas, `order_by=field:desc`, filters, time_range and
 * all else as JSON.
 * @throws AppError INVALID_REQUEST
 */
export function parseQuestionParameters(
  parameters: Readonly<Record<string, unknown>>,
  maxLimit = MAX_LIMIT,
): Question {
  const problems: ErrorDetail[] = []
  // The credential may stand among them; it was taken by the guard.
  const { api_key: _, ...asked } = parameters
  const body = Object.entries(asked).map(([key, value]): [string, unknown] => {
    if (typeof value === 'string') return [key, fromParameter(key, value, problems)]
    problems.push({ path: key, message: 'is given more than once' })
    return [key, undefined]
  })
  if (problems.length > 0) throw invalidRequest(problems)
  return parseQuestion(Object.fromEntries(body), maxLimit)
}

function fromParameter(key: string, value: string, problems: ErrorDetail[]): unknown {
  if (NAME_LISTS.has(key)) return listed(value)
  if (key === 'order_by') {
    return listed(value).map((term) => {
      const [field = '', direction = 'asc'] = term.split(':')
      return { field, direction }
    })
  }
  if (NUMBERS.has(key)) return /^-?\d{1,15}$/.test(value) ? Number(value) : value
  return JSON_KEYS.has(key) ? fromJson(key, value, problems) : value
}

const NAME_LISTS: ReadonlySet<string> = new Set(['metrics', 'dimensions', 'segments'])
const NUMBERS: ReadonlySet<string> = new Set(['limit', 'offset', 'timeout_ms'])
const JSON_KEYS: ReadonlySet<string> = new Set([
  'filters',
  'time_range',
  'totals',
  'total_rows',
  'fill',
])

function listed(value: string): string[] {
  return value === '' ? [] : value.split(',').map((name) => name.trim())
}

function fromJson(key: string, value: string, problems: ErrorDetail[]): unknown {
  try {
    return JSON.parse(value) as unknown
  } catch {
    problems.push({ path: key, message: 'expected JSON' })
    return undefined
  }
}
