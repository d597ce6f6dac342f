import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Principal } from '@olytix/auth-guards'
import { Database, trusted } from '@olytix/postgres'
import { type QueryApp, startQueryApp } from './query-app.js'
import { type SmallProject, startSmallProject } from './small-project.js'
import {
  CHANGE_B,
  CUBES,
  KINDS,
  MASKING,
  METRICS,
  policies,
  SENTINELS,
  SETUP,
  TABLES,
  tenantA,
  TIME_SPINES,
} from './tenants.js'

type Question = Record<string, unknown>

const of = (dimension: string, operator: string, value?: unknown) => ({
  filters: [{ dimension, operator, ...(value === undefined ? {} : { value }) }],
})
const by = (field: string, direction = 'asc') => ({ order_by: [{ field, direction }] })
const months = { dimensions: ['orders.made_on.month'] }
const axis = { dimensions: ['metric_time.month'] }
const count = { metrics: ['orders.count'] }

/** The features of a question. Names begin with the row of the matrix of row security (L). */
const QUESTIONS: Readonly<Record<string, Question>> = {
  '1 a metric by a dimension': { metrics: ['orders.total'], dimensions: ['orders.region'] },
  '1 several metrics': {
    metrics: ['orders.total', 'orders.count', 'orders.north'],
    dimensions: ['orders.region'],
  },
  '2 values of a dimension': { dimensions: ['orders.region'] },
  '2 values of a joined dimension': { dimensions: ['customers.tier', 'orders.region'] },
  '2 values that begin with': {
    dimensions: ['orders.region'],
    ...of('orders.region', 'startsWith', 'o'),
  },
  '2 values that contain': {
    dimensions: ['orders.region'],
    ...of('orders.region', 'contains', 'ONLY'),
  },
  '3 counts and extremes': {
    metrics: [
      'orders.count',
      'orders.buyers',
      'orders.least',
      'orders.greatest',
      'orders.middle',
      'orders.first_day',
      'orders.last_day',
    ],
  },
  '4 a filter': { ...count, ...of('orders.region', 'notEquals', 'North') },
  '4 a filter on what only b has': { ...count, ...of('orders.region', 'equals', 'ONLY_B') },
  '4 a filter on a masked member': {
    ...count,
    dimensions: ['orders.note'],
    ...of('orders.note', 'startsWith', 'x'),
  },
  '4 a filter on a metric': {
    ...count,
    dimensions: ['orders.region'],
    filters: [{ metric: 'orders.total', operator: 'gt', value: 25 }],
  },
  '4 a filter by a metric of a key': {
    ...count,
    filters: [{ metric: 'orders.count', per: ['customers.id'], operator: 'gt', value: 1 }],
  },
  '4 an order': { ...count, dimensions: ['orders.region'], ...by('orders.greatest', 'desc') },
  '4 a segment': { ...count, segments: ['orders.large'] },
  '5 totals and the number of rows': {
    metrics: ['orders.total', 'orders.mean'],
    dimensions: ['orders.region'],
    totals: true,
    total_rows: true,
  },
  '5 the first page': { ...count, dimensions: ['orders.id'], limit: 2, total_rows: true },
  '5 the second page': {
    ...count,
    dimensions: ['orders.id'],
    limit: 2,
    offset: 2,
    total_rows: true,
  },
  '6 gaps that are filled': { metrics: ['orders.total'], ...months, fill: true },
  '6 gaps of each region': {
    metrics: ['orders.count'],
    dimensions: ['orders.made_on.month', 'orders.region'],
    fill: true,
  },
  '6 a comparison of periods': { metrics: ['change'], ...axis },
  '6 a cumulative metric': { metrics: ['total_so_far'], ...axis },
  '7 two facts': { metrics: ['orders.total', 'payments.paid'], dimensions: ['customers.tier'] },
  '7 two facts over time': { metrics: ['orders.total', 'payments.paid'], ...axis },
  '7 a ratio over two facts': { metrics: ['paid_share'], dimensions: ['customers.tier'] },
  '7 a derived metric over two facts': { metrics: ['open_sum'] },
  '7 a metric that is filtered by a joined cube': { metrics: ['gold_orders'] },
  '8 a join': { metrics: ['orders.count'], dimensions: ['customers.tier'] },
  '8 a join that is only filtered by': {
    metrics: ['orders.count'],
    ...of('customers.tier', 'notEquals', 'gold'),
  },
  '8 over two joins': { metrics: ['orders.count', 'orders.total'], dimensions: ['countries.name'] },
  '8 no join': { metrics: ['orders.count'] },
  '11 a division': { metrics: ['orders.per_item'], dimensions: ['orders.inverse'] },
  '11 a cast': { ...count, dimensions: ['orders.code_number'] },
  '11 a cast in a filter': { ...count, ...of('orders.code_number', 'gte', 12) },
  '11 a cast in a measure': { metrics: ['orders.of_numbers'] },
  '11 a cast in a segment': { ...count, segments: ['orders.numbered'] },
  '11 a cast in an order': { dimensions: ['orders.region'], ...by('orders.code_number') },
  '11 a cast in a joined cube': { ...count, ...of('customers.code_number', 'gte', 2) },
  '11 a pattern': { ...count, ...of('orders.matches', 'equals', true) },
  '11 an overflow': { ...count, ...of('orders.power', 'gt', 1) },
  '11 a date out of range': { ...count, ...of('orders.later', 'gte', '2024-02-10') },
  '11 a date out of range by month': { ...count, dimensions: ['orders.later.month'] },
  '11 all rows of a kind that fails': {
    dimensions: ['orders.id', 'orders.code_number', 'orders.matches', 'orders.later'],
  },
}

const FORMATS = ['text/csv', 'application/x-ndjson', 'application/vnd.apache.arrow.stream']

const names = Object.keys(KINDS)
/** Principals of row 15: no policy is for them, or one cannot be applied. */
const ODD: Readonly<Record<string, Partial<Principal>>> = {
  'no attributes': { roles: ['tenant'], attributes: {} },
  'an empty text': { roles: ['tenant'], attributes: { tenant: '' } },
  'a number for a text': { roles: ['tenant'], attributes: { tenant: 1 } },
  'a list for a text': { roles: ['tenant'], attributes: { tenant: ['a'] } },
  'a text for a list': { roles: ['list'], attributes: { tenants: 'a' } },
  'an attribute in other case': { roles: ['tenant'], attributes: { Tenant: 'a' } },
  'no role': { roles: [] },
  'an unknown role': { roles: ['unknown'] },
  'a role in other case': { roles: ['Tenant'] },
  'a role in capitals': { roles: ['ALL'] },
  'a role with a blank': { roles: ['all '] },
  'a role in look-alike letters': { roles: ['аll'] },
  'roles in one text': { roles: ['all,tenant'] },
  'everyone as a role': { roles: ['*'] },
  'an empty list': { roles: ['list'], attributes: { tenants: [] } },
  'a name of every object as a role': { roles: ['constructor'] },
}
const principals = Object.fromEntries([
  ...Object.values(KINDS).map((kind, index) => [`kind${String(index)}`, tenantA(kind)] as const),
  ...Object.entries(ODD).map(
    ([, odd], index) =>
      [`odd${String(index)}`, tenantA({ roles: [], twin: [], isTight: true }, odd)] as const,
  ),
])
const odd = Object.keys(ODD)
const tokenOf = (name: string): string =>
  names.includes(name) ? `kind${String(names.indexOf(name))}` : `odd${String(odd.indexOf(name))}`

interface Side {
  readonly small: SmallProject
  readonly app: QueryApp
}

const started: Side[] = []

async function start(isFiltering: boolean): Promise<Side> {
  const small = await startSmallProject({
    setup: SETUP,
    tables: TABLES,
    cubes: CUBES,
    metrics: METRICS,
    timeSpines: TIME_SPINES,
    policies: policies(isFiltering),
    masking: MASKING,
  })
  const side = { small, app: await startQueryApp(small, principals) }
  started.push(side)
  return side
}

async function change({ small }: Side, statements: string): Promise<void> {
  const owner = new Database({ url: small.database.ownerUrl })
  await owner.execute(trusted(statements))
  await owner.close()
}

/** Status and body, without how long it took. */
async function ask(
  { app }: Side,
  name: string,
  question: Question,
  { accept = 'application/json', path = '' } = {},
): Promise<string> {
  const response = await fetch(app.url + path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${tokenOf(name)}`,
      'content-type': 'application/json',
      accept,
    },
    body: JSON.stringify(question),
  })
  const body = Buffer.from(await response.arrayBuffer()).toString('latin1')
  return `${String(response.status)} ${body.replace(/"execution_time_ms":[\d.]+/, '')}`
}

let full: Side
beforeAll(async () => {
  full = await start(true)
})
afterAll(async () => {
  for (const { app, small } of started) {
    await app.close()
    await small.stop()
  }
})

describe.each(names)('under %s', (name) => {
  let twin: Side
  beforeAll(async () => {
    twin = await start(false)
    for (const statement of KINDS[name]?.twin ?? []) await change(twin, statement)
  })

  test.each(Object.entries(QUESTIONS))(
    'the answer is that of a database without the other rows: %s',
    async (_, question) => {
      const answer = await ask(full, name, question)
      expect(answer).toBe(await ask(twin, name, question))
      if (KINDS[name]?.isTight) {
        expect(answer.replace(JSON.stringify(question), '')).not.toMatch(SENTINELS)
        expect(answer).toMatch(name === 'a mask' ? /^(200|403) / : /^200 /)
      }
    },
  )

  test.each(FORMATS)('9 the rows are the same as %s', async (format) => {
    for (const question of [
      QUESTIONS['1 several metrics'],
      QUESTIONS['8 over two joins'],
      QUESTIONS['2 values of a dimension'],
    ]) {
      expect(await ask(full, name, question ?? {}, { accept: format })).toBe(
        await ask(twin, name, question ?? {}, { accept: format }),
      )
    }
  })
})

test('what is hidden may change as it likes: no byte of an answer does', async () => {
  const tight = names.filter((name) => KINDS[name]?.isTight)
  const everything = async (): Promise<string[]> => {
    const answers: string[] = []
    for (const name of tight) {
      for (const question of Object.values(QUESTIONS)) {
        answers.push(
          await ask(full, name, question),
          await ask(full, name, question, { path: '/explain' }),
        )
      }
      for (const format of FORMATS)
        answers.push(
          await ask(full, name, QUESTIONS['2 values of a dimension'] ?? {}, { accept: format }),
        )
    }
    return answers
  }
  const before = await everything()
  await change(full, CHANGE_B)
  expect(await everything()).toEqual(before)
})

describe.each(odd.filter((name) => name !== 'an empty list'))('15 with %s', (name) => {
  test.each([
    QUESTIONS['1 a metric by a dimension'],
    QUESTIONS['2 values of a dimension'],
    QUESTIONS['5 totals and the number of rows'],
    QUESTIONS['7 a ratio over two facts'],
    QUESTIONS['8 over two joins'],
    // No row would be given, whoever asks: what is refused is judged by the question alone.
    { ...QUESTIONS['1 a metric by a dimension'], limit: 0 },
  ])('%j is 403, whatever is asked of it', async (question) => {
    const denied =
      '403 {"error":{"code":"FORBIDDEN","message":"Insufficient permissions for this resource"}}'
    for (const path of ['', '/explain', '/validate', '/sql']) {
      expect(await ask(full, name, question ?? {}, { path })).toBe(denied)
    }
  })
})

test('15 an empty list lets no row through', async () => {
  const question = { metrics: ['orders.count'], dimensions: ['orders.region'], totals: true }
  expect(await ask(full, 'an empty list', question)).toMatch(/^200 {"data":\[\]/)
})
