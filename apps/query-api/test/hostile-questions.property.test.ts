import { afterAll, beforeAll, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { parseSync } from 'libpg-query'
import { type QueryApp, startQueryApp } from './query-app.js'
import { type SmallProject, startSmallProject } from './small-project.js'
import { CUBES, KINDS, METRICS, policies, SETUP, TABLES, tenantA, TIME_SPINES } from './tenants.js'

const RUNS = Number(process.env['OLYTIX_TEST__PROPERTY_RUNS'] ?? 40)
const LONGEST_MS = 600_000

let small: SmallProject
let app: QueryApp
const principals = Object.fromEntries(
  Object.values(KINDS).map((kind, index) => [`kind${String(index)}`, tenantA(kind)]),
)
beforeAll(async () => {
  const definitions = { cubes: CUBES, metrics: METRICS, timeSpines: TIME_SPINES }
  small = await startSmallProject({
    setup: SETUP,
    tables: TABLES,
    policies: policies(true),
    ...definitions,
  })
  app = await startQueryApp(small, principals)
})
afterAll(async () => {
  await app.close()
  await small.stop()
})

/** In every text of a question, so that it is found wherever it comes out again. */
const MARK = 'zqx'

const text = fc.oneof(
  fc.constantFrom(
    '\0',
    '\ud800',
    '%_\\',
    '2024-02-30',
    'infinity',
    '12024-01-01',
    '0044-03-15 BC',
    'Europe/../../etc',
    '+99:99',
    "'; drop table raw.orders; --",
    '") from raw.orders --',
    '$1',
    '{{ x }}',
    '${HOME}',
  ),
  fc.string({ unit: 'binary', maxLength: 20 }),
)
const marked = text.map((each) => `${each}${MARK}`)
const odd = fc.oneof(
  marked,
  fc.constantFrom(null, true, -0, Number.MAX_VALUE, 2 ** 53, 1.5, '10', [], {}, [null], [[]]),
  fc.constant({ toString: MARK }),
  fc.array(marked, { maxLength: 3 }),
)
const dimension = fc.oneof(
  {
    weight: 24,
    arbitrary: fc.constantFrom(
      'orders.id',
      'orders.region',
      'orders.made_on',
      'orders.made_on.month',
      'orders.made_on.extract_dow',
      'customers.tier',
      'countries.name',
      'orders.note',
      'orders.code_number',
      'orders.matches',
      'metric_time.day',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '__proto__',
      'constructor',
      'orders.constructor',
      'Orders.region',
      'orders.rеgion',
      'orders.region.',
      'a.b.c.d',
      '"orders".region',
      `${MARK}"; drop table x; --`,
      'x'.repeat(10_000),
    ),
  },
)
const metric = fc.oneof(
  {
    weight: 24,
    arbitrary: fc.constantFrom(
      'orders.total',
      'orders.count',
      'orders.greatest',
      'payments.paid',
      'total',
      'open_sum',
      'paid_share',
      'gold_orders',
    ),
  },
  { weight: 1, arbitrary: fc.oneof(dimension, marked) },
)
const operator = fc.constantFrom(
  'equals',
  'notEquals',
  'contains',
  'startsWith',
  'gt',
  'between',
  'inList',
  'notInList',
  'set',
  'x',
)
const value = fc.oneof(marked, odd, fc.constantFrom(5, '2024-03', true, ['2024-01', '2024-05']))
const { filter } = fc.letrec<{ filter: object; leaf: object }>((tie) => ({
  leaf: fc.record({ dimension, operator, value }),
  filter: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'filter' },
    tie('leaf'),
    fc.record({ metric, operator, value }),
    fc.array(tie('filter'), { maxLength: 3 }).map((and) => ({ and })),
    fc.array(tie('filter'), { maxLength: 3 }).map((or) => ({ or })),
    tie('filter').map((not) => ({ not })),
  ),
}))
const question = fc
  .tuple(
    fc.record(
      {
        metrics: fc.array(metric, { maxLength: 3 }),
        dimensions: fc.array(dimension, { maxLength: 3 }),
        filters: fc.array(filter, { maxLength: 2 }),
        segments: fc.array(fc.constantFrom('orders.large', 'orders.numbered', `orders.${MARK}`), {
          maxLength: 2,
        }),
        order_by: fc.array(
          fc.record({
            field: fc.oneof(metric, dimension),
            direction: fc.constantFrom('asc', 'desc'),
          }),
          { maxLength: 2 },
        ),
        limit: fc.constantFrom(0, 1, 1000, 50_001),
        offset: fc.constantFrom(0, 1, 2 ** 31),
        timezone: fc.oneof(fc.constantFrom('UTC', 'Europe/Berlin'), marked),
        totals: fc.boolean(),
        total_rows: fc.boolean(),
        fill: fc.boolean(),
      },
      { requiredKeys: ['metrics', 'dimensions'] },
    ),
    fc.oneof(
      { weight: 4, arbitrary: fc.constant(undefined) },
      {
        weight: 1,
        arbitrary: fc.tuple(
          fc.constantFrom('metrics', 'filters', 'limit', 'order_by', 'time_range', 'cache', MARK),
          odd,
        ),
      },
    ),
  )
  .map(([body, other]): object => (other ? { ...body, [other[0]]: other[1] } : body))

async function send(who: string, path: string, body: object): Promise<readonly [number, string]> {
  const response = await fetch(app.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${who}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return [response.status, await response.text()]
}

const DRIVER =
  /syntax error|operator does not exist|relation "|column "|invalid input|out of range|violates|raw\.|at character|pg_catalog/

/** The tables that a statement reads, and how many statements it is. */
function readBy(sql: string): { statements: number; kinds: string[]; schemas: string[] } {
  const parsed = parseSync(sql)
  const schemas = [
    ...JSON.stringify(parsed).matchAll(
      /"RangeVar":\{(?:"schemaname":"(\w+)",)?"relname":"([^"]+)"/g,
    ),
  ]
  const stmts = parsed.stmts ?? []
  return {
    statements: stmts.length,
    kinds: stmts.map(({ stmt }) => Object.keys(stmt ?? {}).join()),
    schemas: schemas.flatMap(([, schema, name]) => (schema ? [`${schema}.${String(name)}`] : [])),
  }
}

test(
  'whatever is asked, the answer is a documented one, and nothing of the question is in the statement',
  async () => {
    await fc.assert(
      fc.asyncProperty(question, fc.constantFrom(...Object.keys(principals)), async (body, who) => {
        const [status, reply] = await send(who, '', body)
        expect([200, 400, 403]).toContain(status)
        if (status !== 200) {
          const { error } = JSON.parse(reply) as { error: { code: string; message: string } }
          expect(error).toMatchObject({
            code: expect.stringMatching(/^(INVALID_REQUEST|INVALID_QUERY|FORBIDDEN)$/),
          })
          // What was asked may be quoted; what the driver says may not.
          if (!JSON.stringify(body).includes('raw.')) expect(reply).not.toMatch(DRIVER)
        }
        const [shown, statement] = await send(who, '/sql', body)
        if (shown !== 200) return
        const { sql } = JSON.parse(statement) as { sql: string }
        expect(sql).not.toContain(MARK)
        const { statements, kinds, schemas } = readBy(sql)
        expect([statements, kinds]).toEqual([1, ['SelectStmt']])
        expect(schemas.filter((name) => !TABLES.includes(name.replace('raw.', '')))).toEqual([])
      }),
      { numRuns: RUNS * 4, interruptAfterTimeLimit: LONGEST_MS, markInterruptAsFailure: true },
    )
  },
  LONGEST_MS + 10_000,
)
