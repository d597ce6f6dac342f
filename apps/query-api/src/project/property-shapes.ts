import { strict } from '@olytix/config/yaml'
import { z } from 'zod'
import { SEED_TYPES } from './seed-types.js'

/** The shapes of the YAML files beside models and seeds: what is said of them that their own files cannot hold. */

const identifier = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_]{0,62}$/,
    'expected a name of letters, digits and _, at most 63 long',
  )

const severity = { severity: z.enum(['error', 'warn']).default('error') }
const text = z
  .union([z.string().regex(/^[^\0]*$/, 'must not hold NUL'), z.number(), z.boolean()])
  .transform(String)

/** `unique` is short for `unique: {}`. */
const columnTest = z.preprocess(
  (written) => (typeof written === 'string' ? { [written]: {} } : written),
  strict({
    not_null: strict(severity).optional(),
    unique: strict(severity).optional(),
    accepted_values: strict({ values: z.array(text).min(1), ...severity }).optional(),
    relationships: strict({ to: z.string(), field: z.string(), ...severity }).optional(),
  }).refine((test) => Object.keys(test).length === 1, {
    error: 'expected one test in each item',
    when: ({ issues }) => issues.length === 0,
  }),
)

const columnKeys = {
  name: z.string().min(1),
  description: z.string().optional(),
  tests: z.array(columnTest).default([]),
}

/** A column of a table or model. */
export const columnShape = strict(columnKeys)

const span = strict({
  count: z.int().min(1).max(100_000),
  period: z.enum(['minute', 'hour', 'day']),
})

/** How old the newest rows of a table may be. */
export const freshness = strict({ warn_after: span.optional(), error_after: span.optional() })

const seedColumn = strict({ ...columnKeys, type: z.enum(SEED_TYPES).optional() })

const seed = strict({
  name: z.string(),
  description: z.string().optional(),
  schema: identifier.optional(),
  alias: identifier.optional(),
  columns: z.array(seedColumn).default([]),
})

const model = strict({
  name: z.string(),
  description: z.string().optional(),
  columns: z.array(columnShape).default([]),
})

export const modelsShape = strict({ models: z.array(model) })

export const seedsShape = strict({ seeds: z.array(seed) })

export type SeedShape = z.output<typeof seed>
export type ModelShape = z.output<typeof model>
export type ColumnShape = z.output<typeof columnShape>
export type ColumnTestShape = z.output<typeof columnTest>
export type FreshnessShape = z.output<typeof freshness>
export type SpanShape = z.output<typeof span>
