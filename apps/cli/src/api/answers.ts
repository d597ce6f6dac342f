import { LosslessNumber } from 'lossless-json'
import { z } from 'zod'

/** The server's answers. Unknown fields are kept, so that `--json` shows what a newer server says. */

/** Numbers stay as they were written: each digit counts. */
export const number = z.instanceof(LosslessNumber)
export const scope = z.string()
export const moment = z.iso.datetime({ offset: true })

export const principal = z.looseObject({
  id: z.string(),
  kind: z.string(),
  name: z.string(),
  email: z.string().nullish(),
  roles: z.array(z.string()),
  scopes: z.array(scope),
  attributes: z.record(z.string(), z.unknown()),
  expires_at: moment.nullish(),
})
export type Principal = z.output<typeof principal>

const cell = z.union([z.string(), z.boolean(), z.null(), number])
export type Cell = z.output<typeof cell>

export const queryAnswer = z.looseObject({
  data: z.array(z.record(z.string(), cell)),
  execution_time_ms: number,
  cached: z.boolean(),
  columns: z.array(z.looseObject({ name: z.string(), type: z.string() })),
})
export type QueryAnswer = z.output<typeof queryAnswer>

const explainedPolicy = z.looseObject({
  name: z.string(),
  serves: z.array(z.string()),
  filters_rows: z.boolean(),
  attributes: z.array(z.string()),
  row_limit: number.nullish(),
})

export const explanation = z.looseObject({
  decision: z.string(),
  denial_reason: z.string().nullish(),
  principal: z.looseObject({
    id: z.string(),
    email: z.string().nullish(),
    roles: z.array(z.string()),
  }),
  cubes: z
    .array(z.looseObject({ name: z.string(), policies: z.array(explainedPolicy) }))
    .optional(),
  masks: z
    .array(z.looseObject({ member: z.string(), policy: z.string(), mask: z.string() }))
    .optional(),
  joins: z.array(z.looseObject({ from: z.string(), to: z.string() })).optional(),
  cache: z
    .looseObject({ state: z.string(), ttl_ms: number.nullish(), age_ms: number.nullish() })
    .optional(),
})
export type Explanation = z.output<typeof explanation>

const member = z.looseObject({
  name: z.string(),
  type: z.string(),
  title: z.string().nullish(),
  description: z.string().nullish(),
})
export type Member = z.output<typeof member>

const cube = z.looseObject({
  name: z.string(),
  measures: z.array(member),
  dimensions: z.array(member),
})
export type Cube = z.output<typeof cube>

export const cubeList = z.looseObject({ cubes: z.array(cube) })
export const metricList = z.looseObject({ metrics: z.array(member) })
export type MetricSummary = Member

export const errorBody = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    details: z
      .array(
        z.object({
          path: z.string(),
          message: z.string(),
          suggestion: z.string().optional(),
          line: number.transform(Number).optional(),
          column: number.transform(Number).optional(),
        }),
      )
      .default([]),
  }),
})
