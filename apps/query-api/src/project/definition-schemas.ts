import { strict } from '@olytix/config/yaml'
import { z } from 'zod'
import { filterNode } from './filter-shape.js'
import { columnShape, freshness } from './property-shapes.js'
import {
  DIMENSION_TYPES,
  GRANULARITIES,
  MASKS,
  MEASURE_TYPES,
  METRIC_TYPES,
  PERIOD_AGGREGATES,
  RELATIONSHIPS,
} from './project.js'

/** The shapes of the files of a project, before names and SQL are looked at. Unknown keys are errors. */

const name = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_]{0,62}$/,
    'expected a name of letters, digits and _, at most 63 long',
  )
const sqlText = z.string().min(1)
const textual = {
  title: z.string().optional(),
  description: z.string().optional(),
  meta: z.record(z.string(), z.unknown()).optional(),
}
const portNumber = z.union([
  z.int().min(1).max(65535),
  z
    .string()
    .regex(/^\d{1,5}$/)
    .transform(Number),
])

export const projectShape = strict({
  name,
  version: z.union([z.string(), z.number()]).transform(String).default('1.0.0'),
  description: z.string().optional(),
  warehouse: strict({
    type: z.literal('postgres'),
    url: z.string().optional(),
    host: z.string().optional(),
    port: portNumber.optional(),
    database: z.string().optional(),
    user: z.string().optional(),
    password: z.string().optional(),
    sslmode: z.enum(['disable', 'require', 'verify-ca', 'verify-full']).optional(),
  }).optional(),
  models: z.record(z.string(), z.unknown()).optional(),
  vars: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  time_spines: z
    .array(
      strict({
        granularity: z.enum(GRANULARITIES),
        sql_table: sqlText.optional(),
        column: sqlText.default('at'),
        from: z.iso.date('expected a date such as 2016-01-31').optional(),
        to: z.iso.date('expected a date such as 2016-01-31').optional(),
        calendar: z.record(name, sqlText).default({}),
      }),
    )
    .default([]),
  /** Read by identity. */
  security: z.record(z.string(), z.unknown()).optional(),
})

export const sourceShape = strict({
  name,
  description: z.string().optional(),
  database: z.string().optional(),
  schema: z.string().min(1).optional(),
  freshness: freshness.optional(),
  loaded_at_field: z.string().min(1).optional(),
  tables: z.array(
    strict({
      name: z.string().min(1),
      description: z.string().optional(),
      freshness: freshness.nullable().optional(),
      loaded_at_field: z.string().min(1).optional(),
      columns: z.array(columnShape).optional(),
    }),
  ),
})

export const sourcesShape = strict({ sources: z.array(sourceShape) })

const measure = strict({
  name,
  type: z.enum(MEASURE_TYPES),
  sql: sqlText.optional(),
  filters: z.array(strict({ sql: sqlText })).optional(),
  percentile: z.number().gt(0).lt(1).optional(),
  discrete: z.boolean().default(false),
  value_type: z.enum(DIMENSION_TYPES).optional(),
  time: name.optional(),
  non_additive: strict({
    time: name,
    choice: z.enum(['first', 'last']),
    by: z.array(name).default([]),
  }).optional(),
  format: z.string().optional(),
  drill_members: z.array(z.string()).optional(),
  public: z.boolean().default(true),
  ...textual,
})

const dimension = strict({
  name,
  type: z.enum(DIMENSION_TYPES),
  sql: sqlText.optional(),
  primary_key: z.boolean().default(false),
  primary_time: z.boolean().default(false),
  granularities: z.array(z.enum(GRANULARITIES)).min(1).optional(),
  partition: z.boolean().default(false),
  format: z.string().optional(),
  public: z.boolean().default(true),
  ...textual,
})

const segment = strict({ name, sql: sqlText, public: z.boolean().default(true), ...textual })

const join = strict({
  name,
  cube: name.optional(),
  relationship: z.enum(RELATIONSHIPS),
  sql: sqlText,
  valid_from: sqlText.optional(),
  valid_to: sqlText.optional(),
})

const MILLISECONDS = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 }

/** In milliseconds; a day is 24 hours. */
const lapse = z
  .string()
  .regex(/^[1-9]\d{0,4} (second|minute|hour|day)s?$/, 'expected a time such as "10 minutes"')
  .transform((text) => {
    const [count = '', unit = ''] = text.split(' ')
    const found = Object.entries(MILLISECONDS).find(([name]) => unit.startsWith(name))
    return Number(count) * (found?.[1] ?? 0)
  })

export const cubeShape = strict({
  name,
  extends: name.optional(),
  sql: sqlText.optional(),
  sql_table: sqlText.optional(),
  model: name.optional(),
  public: z.boolean().default(true),
  refresh_key: strict({ every: lapse }).optional(),
  measures: z.array(measure).default([]),
  dimensions: z.array(dimension).default([]),
  segments: z.array(segment).default([]),
  joins: z.array(join).default([]),
  ...textual,
})

export const cubesShape = strict({ cubes: z.array(cubeShape) })

const interval = z
  .string()
  .regex(/^[1-9]\d{0,4} [a-z_]+$/, 'expected an interval such as "14 days"')
  .transform((text) => {
    const [count = '', unit = ''] = text.split(' ')
    return { count: Number(count), unit: singular(unit) }
  })

/** `days` is `day`; granularities of a calendar are written as they are called. */
function singular(unit: string): string {
  return GRANULARITIES.find((each) => unit === `${each}s`) ?? unit
}

const onSpine = {
  join_to_time_spine: z.boolean().default(false),
  fill_nulls_with: z.number().optional(),
}

const part = strict({ expression: sqlText, filters: z.array(filterNode).default([]) })

const conversionPart = strict({ expression: sqlText, ...onSpine })

const pair = z.union([
  name.transform((both) => ({ base: both, conversion: both })),
  strict({ base: name, conversion: name }),
])

const input = strict({
  name,
  expression: sqlText,
  offset: interval.optional(),
  offset_to_grain: z.enum(GRANULARITIES).optional(),
  filters: z.array(filterNode).default([]),
})

export const metricShape = strict({
  name,
  type: z.enum(METRIC_TYPES),
  expression: sqlText.optional(),
  numerator: part.optional(),
  denominator: part.optional(),
  inputs: z.array(input).default([]),
  window: interval.optional(),
  grain_to_date: z.enum(GRANULARITIES).optional(),
  period_aggregate: z.enum(PERIOD_AGGREGATES).default('first'),
  base: conversionPart.optional(),
  conversion: conversionPart.optional(),
  entity: pair.optional(),
  constant_properties: z.array(pair).default([]),
  calculation: z.enum(['rate', 'conversions']).default('rate'),
  ...onSpine,
  default_grain: z.enum(GRANULARITIES).optional(),
  time_grain: z.enum(GRANULARITIES).optional(),
  filters: z.array(filterNode).default([]),
  format: z.string().optional(),
  public: z.boolean().default(true),
  ...textual,
})

export const metricsShape = strict({ metrics: z.array(metricShape) })

export const policyShape = strict({
  name,
  cube: name,
  description: z.string().optional(),
  roles: z.array(z.string().min(1)).min(1, 'name at least one role, or "*" for everyone'),
  filter: sqlText.optional(),
  exclude_members: z.array(z.string()).default([]),
  row_limit: z.int().min(0).optional(),
})

/** YAML's own null is the mask of that name. */
const mask = z.union(
  [
    z.null().transform(() => 'null' as const),
    z.enum(MASKS),
    strict({ value: z.union([z.string(), z.number(), z.boolean()]) }),
  ],
  `expected ${MASKS.join(', ')} or {value: …}`,
)

export const maskingShape = strict({
  name,
  cube: name,
  description: z.string().optional(),
  members: z.array(z.string()).min(1, 'name at least one member'),
  except_roles: z.array(z.string().min(1)).default([]),
  mask,
})

export const policiesShape = strict({
  policies: z.array(policyShape).default([]),
  masking: z.array(maskingShape).default([]),
})

export type ProjectShape = z.output<typeof projectShape>
export type SourceShape = z.output<typeof sourceShape>
export type CubeShape = z.output<typeof cubeShape>
export type MeasureShape = z.output<typeof measure>
export type DimensionShape = z.output<typeof dimension>
export type JoinShape = z.output<typeof join>
export type MetricShape = z.output<typeof metricShape>
export type PolicyShape = z.output<typeof policyShape>
export type MaskingShape = z.output<typeof maskingShape>
