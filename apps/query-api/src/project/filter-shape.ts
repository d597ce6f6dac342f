import { strict } from '@olytix/config/yaml'
import { z } from 'zod'

/** Every operator of filters, in questions and in metrics alike. */
export const OPERATORS = [
  'equals',
  'notEquals',
  'contains',
  'notContains',
  'startsWith',
  'endsWith',
  'gt',
  'gte',
  'lt',
  'lte',
  'between',
  'inList',
  'notInList',
  'set',
  'notSet',
] as const

export type Operator = (typeof OPERATORS)[number]

export type Scalar = string | number | boolean

/** A key by which a metric is computed, and the dimension of the filtered rows that it must equal. */
export interface FilterKey {
  readonly dimension: string
  readonly matches: string
}

/** One comparison: of a dimension (rows) or of a metric (groups; with `per`, rows by the metric of their key). */
export interface FilterLeaf {
  readonly dimension?: string | undefined
  readonly metric?: string | undefined
  readonly per?: readonly FilterKey[] | undefined
  readonly operator: Operator
  /** Of a range alone: so many whole periods before the present one. */
  readonly last?: { readonly count: number; readonly unit: string } | undefined
  readonly value?: Scalar | readonly Scalar[] | undefined
}

export type FilterNode =
  | FilterLeaf
  | { readonly and: readonly FilterNode[] }
  | { readonly or: readonly FilterNode[] }
  | { readonly not: FilterNode }

/** How deep a tree may be, and how long one list of values. */
export const MAX_FILTER_DEPTH = 16
const MAX_LIST_VALUES = 10_000

/** Text that PostgreSQL and JSON can hold: without NUL and without half a surrogate pair. */
export function text(): z.ZodString {
  return z
    .string()
    .refine((value) => !value.includes('\0'), 'must not hold the character NUL')
    .refine((value) => !/\p{Surrogate}/u.test(value), 'holds half of a surrogate pair')
}

const scalar = z.unknown().transform((input, ctx): Scalar => {
  if (typeof input === 'boolean') return input
  if (typeof input === 'number' && Number.isFinite(input)) return input
  const asText = text().safeParse(input)
  if (asText.success) return asText.data
  const reason = typeof input === 'string' ? asText.error.issues[0]?.message : undefined
  ctx.addIssue(
    input === null
      ? 'null is no value; ask with the operators set and notSet'
      : (reason ?? 'expected a text, a number or a boolean'),
  )
  return z.NEVER
})

/** Hands on what an inner schema found; zod adds the path. */
function pass(error: z.ZodError, ctx: { readonly issues: z.core.$ZodRawIssue[] }): void {
  // A finished issue is a raw one with its message: the types only differ in how exact they are about `input`.
  for (const issue of error.issues) ctx.issues.push(issue as z.core.$ZodRawIssue)
}

const value = z.unknown().transform((input, ctx): Scalar | Scalar[] => {
  const parsed = Array.isArray(input)
    ? z
        .array(scalar)
        .max(MAX_LIST_VALUES, `at most ${String(MAX_LIST_VALUES)} values`)
        .safeParse(input)
    : scalar.safeParse(input)
  if (parsed.success) return parsed.data
  pass(parsed.error, ctx)
  return z.NEVER
})

const filterKey = z.union([
  text().transform((both) => ({ dimension: both, matches: both })),
  strict({ dimension: text(), matches: text() }),
])

const leaf = strict({
  dimension: text().optional(),
  metric: text().optional(),
  per: z.array(filterKey).min(1).max(5).optional(),
  operator: z.enum(OPERATORS),
  value: value.optional(),
})

/** A filter tree. Callers bound the depth of the input beforehand (`isDeeperThan`). */
export const filterNode: z.ZodType<FilterNode> = z.lazy(() =>
  z.unknown().transform((input, ctx): FilterNode => {
    const parsed = shapeFor(input).safeParse(input, { reportInput: true })
    if (!parsed.success) {
      pass(parsed.error, ctx)
      return z.NEVER
    }
    if (!('operator' in parsed.data)) return parsed.data
    const named = [parsed.data.dimension, parsed.data.metric].filter((name) => name !== undefined)
    if (named.length !== 1) ctx.addIssue('name either a dimension or a metric')
    if (parsed.data.per && parsed.data.metric === undefined) ctx.addIssue('per belongs to a metric')
    return parsed.data
  }),
)

const branches = {
  and: strict({ and: z.array(filterNode).min(1) }),
  or: strict({ or: z.array(filterNode).min(1) }),
  not: strict({ not: filterNode }),
}

function shapeFor(input: unknown): z.ZodType<FilterNode> {
  if (typeof input !== 'object' || input === null) return leaf
  if (Object.hasOwn(input, 'and')) return branches.and
  if (Object.hasOwn(input, 'or')) return branches.or
  return Object.hasOwn(input, 'not') ? branches.not : leaf
}

/** How many levels trees have; a list of comparisons alone has one. */
export function filterDepth(nodes: readonly FilterNode[]): number {
  const depths = nodes.map((node) => {
    if ('and' in node) return filterDepth(node.and)
    if ('or' in node) return filterDepth(node.or)
    return 'not' in node ? filterDepth([node.not]) : 0
  })
  return 1 + Math.max(0, ...depths)
}

/** All comparisons of trees. */
export function filterLeaves(nodes: readonly FilterNode[]): FilterLeaf[] {
  return nodes.flatMap((node) => {
    if ('and' in node) return filterLeaves(node.and)
    if ('or' in node) return filterLeaves(node.or)
    return 'not' in node ? filterLeaves([node.not]) : [node]
  })
}
