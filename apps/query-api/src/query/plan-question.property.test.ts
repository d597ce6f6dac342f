import type { Principal } from '@olytix/auth-guards'
import { aPrincipal } from '@olytix/auth-guards/testing'
import { Secret } from '@olytix/config'
import { AppError } from '@olytix/errors'
import { beforeAll, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { loadModule } from 'libpg-query'
import { buildProject } from '../project/build-project.js'
import {
  type FilterLeaf,
  type FilterNode,
  OPERATORS,
  type Scalar,
} from '../project/filter-shape.js'
import type { Project } from '../project/project.js'
import type { QueryRequest } from '../semantics/query-request.js'
import { planQuestion } from './plan-question.js'

const CUBES = `cubes:
  - name: orders
    sql_table: raw.orders
    measures:
      - {name: count, type: count}
      - {name: revenue, type: sum, sql: amount}
      - {name: big, type: count, filters: [{sql: amount > 9}]}
    dimensions:
      - {name: id, type: number, primary_key: true}
      - {name: region, type: string}
      - {name: is_open, type: boolean}
      - {name: made_at, type: time, primary_time: true}
      - {name: amount, type: number}
    segments: [{name: dear, sql: amount > 9}]
    joins: [{name: customers, relationship: many_to_one, sql: "{CUBE}.customer_id = {customers}.id"}]
  - name: customers
    sql_table: raw.customers
    measures: [{name: people, type: count}]
    dimensions:
      - {name: id, type: number, primary_key: true}
      - {name: name, type: string}
      - {name: joined_at, type: time, primary_time: true}
`
const METRICS = `metrics:
  - {name: west, type: simple, expression: orders.revenue, filters: [{dimension: orders.region, operator: equals, value: West}]}
  - {name: share, type: ratio, numerator: {expression: orders.big}, denominator: {expression: orders.count}}
`
const POLICIES = `policies:
  - {name: own, cube: orders, roles: [a], filter: region in $user.regions}
  - {name: open, cube: orders, roles: [b], filter: is_open = true and amount > $user.least, row_limit: 50}
  - {name: all, cube: orders, roles: [c]}
  - {name: some_customers, cube: customers, roles: [a, b], filter: name <> $user.id}
  - {name: all_customers, cube: customers, roles: [c], exclude_members: [joined_at]}
masking:
  - {name: names, cube: customers, members: [name], mask: hash, except_roles: [a]}
`

let project: Project
beforeAll(async () => {
  await loadModule()
  const file = (path: string, text: string) => ({ path, text })
  project = buildProject(
    {
      project: file('p.yml', 'name: p'),
      sources: [
        file('s.yml', 'sources: [{name: raw, tables: [{name: orders}, {name: customers}]}]'),
      ],
      models: [],
      cubes: [file('c.yml', CUBES)],
      metrics: [file('m.yml', METRICS)],
      policies: [file('r.yml', POLICIES)],
    },
    {},
    new Secret('a key of masks for tests, 32 byte'),
  )
})

const METRIC_NAMES = ['orders.count', 'orders.revenue', 'west', 'share', 'customers.people']
const DIMENSIONS = [
  'orders.region',
  'orders.made_at.month',
  'customers.name',
  'customers.joined_at',
]
const TIMES = ['2016', '2016-01', '2016-02-03', '2016-02-03T04:05:06', '2016-02-03T04:05:06Z']
const POOLS: Readonly<Record<string, readonly Scalar[]>> = {
  'orders.region': ['West', 'East', '%_', "' or 1=1 --"],
  'orders.made_at': TIMES,
  'orders.made_at.month': ['2016', '2016-01', '2017-03'],
  'orders.amount': [1, 2.5, -7, '12345678901234567890'],
  'orders.count': [0, 100],
  share: [0, 0.5],
}
const ODD: readonly Scalar[] = ['', true, 5, 'no time']

/** A value that mostly fits. */
function valueFor({ dimension, metric, operator }: FilterLeaf, dice: number): FilterLeaf['value'] {
  const pool = POOLS[dimension ?? metric ?? ''] ?? ODD
  const at = (index: number): Scalar => pool[index % pool.length] ?? ''
  if (dice % 23 === 0) return ODD[dice % ODD.length]
  if (operator === 'set' || operator === 'notSet') return undefined
  if (operator === 'between') return [at(dice), at(dice)]
  return operator.endsWith('List') ? [at(dice), at(dice + 1)].slice(dice % 2) : at(dice)
}

const leaf: fc.Arbitrary<FilterLeaf> = fc.record({
  dimension: fc.constantFrom(...Object.keys(POOLS).slice(0, 4)),
  operator: fc.constantFrom(...OPERATORS.filter((each) => !/contains|With/i.test(each))),
})
const like: fc.Arbitrary<FilterLeaf> = fc.record({
  dimension: fc.constant('orders.region'),
  operator: fc.constantFrom('contains', 'notContains', 'startsWith', 'endsWith'),
})
const ofGroups: fc.Arbitrary<FilterLeaf> = fc.record({
  metric: fc.constantFrom('orders.count', 'share'),
  operator: fc.constantFrom('gt', 'equals', 'inList'),
})
const filter: fc.Arbitrary<FilterNode> = fc.oneof(
  { weight: 4, arbitrary: leaf },
  like,
  ofGroups,
  leaf.map((not) => ({ not })),
  fc.tuple(leaf, leaf).map(([one, other]) => ({ or: [{ ...one }, { ...other }] })),
)
const request: fc.Arbitrary<QueryRequest> = fc.record({
  metrics: fc.subarray(METRIC_NAMES, { minLength: 1, maxLength: 2 }),
  dimensions: fc.subarray(DIMENSIONS, { maxLength: 2 }),
  filters: fc.array(filter, { maxLength: 2 }),
  segments: fc.subarray(['orders.dear']),
  timeRange: fc.option(
    fc.record({
      dimension: fc.constant('orders.made_at'),
      start: fc.constantFrom(...TIMES),
      end: fc.constantFrom(...TIMES),
    }),
    { nil: undefined },
  ),
  orderBy: fc.constant([]),
  fill: fc.constantFrom(false, false, false, true),
  limit: fc.constantFrom(10, 1000),
  offset: fc.constantFrom(0, 5),
  timezone: fc.constantFrom('UTC', 'Europe/Berlin'),
})
const principal: fc.Arbitrary<Principal> = fc
  .record({
    id: fc.constantFrom('usr_1', 'usr_2'),
    roles: fc.constantFrom(['c'], ['b'], ['a'], ['a', 'b']),
    attributes: fc.record(
      { regions: fc.constantFrom(['West'], ['East'], []), least: fc.constantFrom(1, 2, 3, 'x') },
      { requiredKeys: ['regions'] },
    ),
  })
  .map(aPrincipal)

const asker = fc.record({
  isFirst: fc.boolean(),
  dice: fc.array(fc.nat(), { minLength: 8, maxLength: 8 }),
})

const askers = fc.array(asker, { minLength: 4, maxLength: 8 })

/** The same question of other values. */
function withValues(shape: QueryRequest, dice: readonly number[]): QueryRequest {
  const left = [...dice]
  const filled = (node: FilterNode): FilterNode => {
    if ('and' in node) return { and: node.and.map(filled) }
    if ('or' in node) return { or: node.or.map(filled) }
    if ('not' in node) return { not: filled(node.not) }
    return { ...node, value: valueFor(node, left.pop() ?? 1) }
  }
  const { timeRange } = shape
  const at = (index: number): string => TIMES[index % 4] ?? ''
  const [start, end] = [at(left.pop() ?? 0), at(left.pop() ?? 0)]
  const range = timeRange && { dimension: timeRange.dimension, start, end }
  return { ...shape, filters: shape.filters.map(filled), timeRange: range }
}

/** The statements of a question, or why there are none; `in` another project nothing is known of others. */
function outcome(where: Project, who: Principal, question: QueryRequest): object {
  try {
    const { plan, statement, counting } = planQuestion(where, who, question)
    const { policies, maskedMembers, limit, dimensions, metrics } = plan
    return { statement, count: counting(), policies, maskedMembers, limit, dimensions, metrics }
  } catch (error) {
    if (error instanceof AppError) return { code: error.code, details: error.details }
    throw error
  }
}

describe('a plan that is used again', () => {
  test('is the one that its question would get by itself, whoever asked before', () => {
    let again = 0
    fc.assert(
      fc.property(request, fc.tuple(principal, principal), askers, (shape, both, all) => {
        const plans = new Set<unknown>()
        for (const { isFirst, dice } of all) {
          const who = isFirst ? both[0] : both[1]
          const question = withValues(shape, dice)
          const expected = outcome({ ...project }, who, question)
          expect(outcome(project, who, question)).toEqual(expected)
          if ('code' in expected) continue
          const { plan } = planQuestion(project, who, question)
          if (plans.has(plan)) again += 1
          plans.add(plan)
        }
      }),
      { numRuns: 400 },
    )
    expect(again).toBeGreaterThan(50)
  })

  const asking = (more: Partial<QueryRequest>): QueryRequest => ({
    metrics: ['orders.count'],
    dimensions: [],
    filters: [],
    segments: [],
    orderBy: [],
    limit: 10,
    offset: 0,
    timezone: 'UTC',
    ...more,
  })
  const west = aPrincipal({ roles: ['a'], attributes: { regions: ['West'] } })
  const having = (given: string): QueryRequest =>
    asking({ filters: [{ dimension: 'orders.region', operator: 'equals', value: given }] })

  test('serves questions that differ in values alone', () => {
    const [one, other] = ['x', 'y'].map((each) => planQuestion(project, west, having(each)))
    expect(other?.plan).toBe(one?.plan)
    expect(other?.statement).not.toEqual(one?.statement)
    expect(other?.statement.values).toContain('y')
  })

  test.each<[string, Partial<Principal>]>([
    ['id', { id: 'usr_other' }],
    ['roles', { roles: ['a', 'c'] }],
    ['attributes', { attributes: { regions: ['East'] } }],
    ['type of an attribute', { attributes: { regions: 'West' } }],
  ])('serves nobody of another %s', (_, more) => {
    const one = planQuestion({ ...project }, west, having('x')).plan
    const fresh = { ...project }
    expect(planQuestion(fresh, west, having('x')).plan).not.toBe(one)
    const mine = planQuestion(fresh, west, having('x')).plan
    const theirs = (): unknown =>
      planQuestion(fresh, aPrincipal({ ...west, ...more }), having('x')).plan
    try {
      expect(theirs()).not.toBe(mine)
    } catch (error) {
      expect(error).toMatchObject({ code: 'FORBIDDEN' })
    }
  })

  test('serves a question however long its answer may take', () => {
    const patient = { ...asking({}), timeoutMs: 5000, cache: 'bypass' }
    expect(planQuestion(project, west, patient).plan).toBe(
      planQuestion(project, west, asking({})).plan,
    )
  })

  test('serves no other revision of the project', () => {
    const one = planQuestion(project, west, having('x')).plan
    expect(planQuestion({ ...project }, west, having('x')).plan).not.toBe(one)
  })

  test('serves no question in which one filter stands twice by identity', () => {
    const leafOnce = { dimension: 'orders.region', operator: 'equals', value: 'x' } as const
    const twice = asking({ filters: [leafOnce, leafOnce] })
    planQuestion(project, west, twice)
    const apart = asking({ filters: [{ ...leafOnce }, { ...leafOnce, value: 'y' }] })
    expect(planQuestion(project, west, apart).statement.values).toEqual(
      expect.arrayContaining(['x', 'y']),
    )
  })
})
