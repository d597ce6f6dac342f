import { beforeAll, describe, expect, test } from '@jest/globals'
import type { ErrorDetail } from '@olytix/errors'
import { loadModule } from 'libpg-query'
import { buildProject } from '../project/build-project.js'
import { dimensionNames } from '../project/member-names.js'
import type { Project } from '../project/project.js'
import { planQuery } from './plan-query.js'
import type { QueryPlan } from './query-plan.js'
import type { QueryRequest } from './query-request.js'

/**
 * orders → customers → cities → countries, orders → shops → cities, returns → orders; visits knows nobody.
 * `orders` reaches `cities` over customers and over shops.
 */
const CUBES = `cubes:
  - name: orders
    sql_table: raw.t
    measures: [{name: count, type: count}, {name: revenue, type: sum, sql: amount},
      {name: average, type: number, sql: "{revenue} / {count}"}, {name: secret, type: sum, sql: amount, public: false}]
    dimensions: [{name: status, type: string}, {name: made_at, type: time}, {name: amount, type: number}, {name: cost, type: number, public: false}]
    segments: [{name: big, sql: amount > 10}]
    joins:
      - {name: customers, relationship: many_to_one, sql: "{CUBE}.customer_id = {customers}.id"}
      - {name: shops, relationship: many_to_one, sql: "{CUBE}.shop_id = {shops}.id"}
  - name: customers
    sql_table: raw.t
    dimensions: [{name: segment, type: string}]
    joins: [{name: cities, relationship: many_to_one, sql: "{CUBE}.city_id = {cities}.id"}]
  - name: shops
    sql_table: raw.t
    dimensions: [{name: brand, type: string}]
    joins:
      - {name: cities, relationship: many_to_one, sql: "{CUBE}.city_id = {cities}.id"}
      - {name: licences, relationship: one_to_one, sql: "{CUBE}.id = {licences}.shop_id"}
  - name: cities
    sql_table: raw.t
    dimensions: [{name: name, type: string}]
    joins: [{name: countries, relationship: many_to_one, sql: "{CUBE}.country_id = {countries}.id"}]
  - {name: countries, sql_table: raw.t, dimensions: [{name: name, type: string}]}
  - {name: licences, sql_table: raw.t, dimensions: [{name: number, type: string}]}
  - name: returns
    sql_table: raw.t
    measures: [{name: count, type: count}]
    dimensions: [{name: reason, type: string}, {name: returned_at, type: time}]
    joins: [{name: orders, relationship: many_to_one, sql: "{CUBE}.order_id = {orders}.id"}]
  - name: visits
    sql_table: raw.t
    measures: [{name: count, type: count}]
    dimensions: [{name: page, type: string}]
    joins: [{name: pages, relationship: one_to_many, sql: "{CUBE}.id = {pages}.visit_id"}]
  - {name: pages, sql_table: raw.t, measures: [{name: count, type: count}], dimensions: [{name: url, type: string}]}
`
const METRICS = `metrics:
  - {name: revenue, type: simple, expression: orders.revenue, time_grain: month}
  - {name: returned, type: simple, expression: returns.count, time_grain: quarter}
  - {name: return_rate, type: ratio, numerator: {expression: returned}, denominator: {expression: orders.count}}
  - {name: good, type: simple, expression: orders.revenue, filters: [{dimension: orders.status, operator: equals, value: good}]}
  - {name: good_share, type: derived, expression: good / revenue}
`

let project: Project
beforeAll(async () => {
  await loadModule()
  const file = (path: string, text: string) => ({ path, text })
  project = buildProject(
    {
      project: file('p.yml', 'name: p'),
      sources: [file('s.yml', 'sources: [{name: raw, tables: [{name: t}]}]')],
      models: [],
      cubes: [file('c.yml', CUBES)],
      metrics: [file('m.yml', METRICS)],
      policies: [],
    },
    {},
  )
})

function plan(request: Partial<QueryRequest>): QueryPlan | readonly ErrorDetail[] {
  const vocabulary = {
    metrics: () => ['revenue', 'returned', 'orders.count', 'orders.revenue'],
    dimensions: () => dimensionNames(project.cubes).filter((name) => name !== 'orders.cost'),
    segments: () => ['orders.big'],
  }
  const whole: QueryRequest = {
    metrics: [],
    dimensions: [],
    filters: [],
    segments: [],
    orderBy: [],
    limit: 1000,
    offset: 0,
    timezone: 'UTC',
    ...request,
  }
  return planQuery(project, whole, vocabulary)
}

function planned(request: Partial<QueryRequest>): QueryPlan {
  const result = plan(request)
  if ('facts' in result) return result
  throw new Error(JSON.stringify(result))
}

function problems(request: Partial<QueryRequest>): readonly ErrorDetail[] {
  const result = plan(request)
  return 'facts' in result ? [] : result
}

/** `base + joined, joined`, one for each fact. */
function sources(request: Partial<QueryRequest>): string[] {
  return planned(request).facts.map(({ base, joins }) =>
    [base.alias, ...joins.map(({ source }) => source.alias)].join(' + '),
  )
}

describe('joins', () => {
  test.each<[string, Partial<QueryRequest>, string[]]>([
    [
      'none that is not needed',
      { metrics: ['orders.count'], dimensions: ['orders.status'] },
      ['orders'],
    ],
    [
      'one hop',
      { metrics: ['orders.count'], dimensions: ['customers.segment'] },
      ['orders + customers'],
    ],
    [
      'several hops',
      { metrics: ['returns.count'], dimensions: ['shops.brand'] },
      ['returns + orders + shops'],
    ],
    [
      'a path that is spelled out',
      { metrics: ['orders.count'], dimensions: ['orders.shops.cities.name'] },
      ['orders + shops + cities'],
    ],
    [
      'two paths to one cube',
      {
        metrics: ['orders.count'],
        dimensions: ['orders.shops.cities.name', 'orders.customers.cities.name'],
      },
      ['orders + shops + cities + customers + cities_2'],
    ],
    [
      'a path from another cube',
      { metrics: ['returns.count'], dimensions: ['orders.customers.cities.name'] },
      ['returns + orders + customers + cities'],
    ],
    [
      'a one-to-one join from its other side',
      { metrics: [], dimensions: ['licences.number', 'shops.brand'] },
      ['licences + shops'],
    ],
    [
      'a one-to-many join from the many',
      { metrics: ['pages.count'], dimensions: ['visits.page'] },
      ['pages + visits'],
    ],
    [
      'for a filter',
      { metrics: ['orders.count'], filters: [{ dimension: 'customers.segment', operator: 'set' }] },
      ['orders + customers'],
    ],
    [
      'for each fact apart',
      { metrics: ['orders.count', 'returns.count'], dimensions: ['customers.segment'] },
      ['orders + customers', 'returns + orders + customers'],
    ],
    [
      'values of dimensions from the cube that reaches the others',
      { dimensions: ['customers.segment', 'orders.status'] },
      ['orders + customers'],
    ],
  ])('%s', (_, request, expected) => {
    expect(sources(request)).toEqual(expected)
  })

  test('several ways of the same length are an error that lists them', () => {
    expect(problems({ metrics: ['orders.count'], dimensions: ['cities.name'] })).toEqual([
      {
        path: 'dimensions[0]',
        message:
          '"cities.name" can be reached from orders in several ways: orders.customers.cities, orders.shops.cities; spell out one',
        suggestion: 'orders.customers.cities.name',
      },
    ])
  })

  test.each<[string, Partial<QueryRequest>, string]>([
    [
      'rows of a one-to-many join would be counted twice',
      { metrics: ['visits.count'], dimensions: ['pages.url'] },
      'dimensions[0]',
    ],
    [
      'a cube that nothing leads to',
      { metrics: ['visits.count'], dimensions: ['orders.status'] },
      'dimensions[0]',
    ],
    [
      'a filter is never left out',
      {
        metrics: ['visits.count', 'orders.count'],
        filters: [{ dimension: 'orders.status', operator: 'set' }],
      },
      'filters[0].dimension',
    ],
    [
      'a segment is never left out',
      { metrics: ['visits.count'], segments: ['orders.big'] },
      'segments[0]',
    ],
    [
      'dimensions without a connection',
      { dimensions: ['visits.page', 'orders.status'] },
      'dimensions',
    ],
  ])('%s', (_, request, path) => {
    expect(problems(request).map((each) => each.path)).toContain(path)
  })
})

describe('metrics', () => {
  test('the same measure is aggregated once', () => {
    const { facts } = planned({ metrics: ['orders.average', 'orders.revenue', 'good_share'] })
    expect(facts.map(({ aggregates }) => aggregates.length)).toEqual([3])
  })

  test('filters of a metric belong to it alone', () => {
    const [fact] = planned({ metrics: ['good_share'] }).facts
    expect(fact?.aggregates.map(({ filter }) => filter !== undefined)).toEqual([true, false])
    expect(fact?.where).toBeUndefined()
  })

  test.each<[string[], string[], string[]]>([
    [['revenue'], [], ['orders.made_at.month']],
    [['revenue', 'good'], ['orders.status'], ['orders.status', 'orders.made_at.month']],
    [['revenue'], ['orders.made_at.year'], ['orders.made_at.year']],
    [['revenue', 'returned'], [], ['metric_time.quarter']],
    [['orders.revenue'], [], []],
  ])('%j by %j is grouped by %j', (metrics, dimensions, expected) => {
    expect(planned({ metrics, dimensions }).dimensions.map(({ key }) => key)).toEqual(expected)
  })

  test('metric_time is the primary time of each fact', () => {
    const { facts } = planned({ metrics: ['return_rate'], dimensions: ['metric_time.month'] })
    const columns = facts.map(({ groups }) => groups[0]?.value)
    expect(columns.map((value) => [value?.alias, value?.expression.parts])).toEqual([
      ['returns', [{ column: 'returned_at', of: 'own' }]],
      ['orders', [{ column: 'made_at', of: 'own' }]],
    ])
  })

  test('a tree with a metric filters groups, by dimensions that are asked for', () => {
    const node = {
      or: [
        { metric: 'orders.count', operator: 'gt', value: 3 },
        { dimension: 'orders.status', operator: 'equals', value: 'x' },
      ],
    } as const
    expect(
      planned({ metrics: ['revenue'], dimensions: ['orders.status'], filters: [node] }).having
        ?.kind,
    ).toBe('or')
    expect(problems({ metrics: ['revenue'], filters: [node] }).map(({ path }) => path)).toEqual([
      'filters[0].or[1].dimension',
    ])
  })
})

describe('names', () => {
  test.each<[Partial<QueryRequest>, string, string | undefined]>([
    [{ metrics: ['revenu'] }, 'metrics[0]', 'revenue'],
    [{ metrics: ['orders.cuont'] }, 'metrics[0]', 'orders.count'],
    [{ metrics: ['orders.secret'] }, 'metrics[0]', undefined],
    [{ metrics: ['__proto__'] }, 'metrics[0]', undefined],
    [{ metrics: ['orders.constructor'] }, 'metrics[0]', undefined],
    [{ metrics: ['orders.count.x'] }, 'metrics[0]', 'orders.count'],
    [{ dimensions: ['orders.statsu'] }, 'dimensions[0]', 'orders.status'],
    [{ dimensions: ['orders.cost'] }, 'dimensions[0]', undefined],
    [{ dimensions: ['orders'] }, 'dimensions[0]', undefined],
    [{ dimensions: ['orders.made_at.moth'] }, 'dimensions[0]', 'orders.made_at.month'],
    [{ dimensions: ['orders.status.month'] }, 'dimensions[0]', 'orders.status'],
    [{ dimensions: ['orders.made_at.month.x'] }, 'dimensions[0]', 'orders.made_at.month'],
    [{ dimensions: ['metric_time.month'] }, 'dimensions[0]', undefined],
    [{ metrics: ['revenue'], dimensions: ['metric_time.moth'] }, 'dimensions[0]', 'month'],
    [{ metrics: ['revenue'], segments: ['orders.bigg'] }, 'segments[0]', 'orders.big'],
    [
      { metrics: ['revenue'], orderBy: [{ field: 'revenu', direction: 'asc' }] },
      'order_by[0].field',
      'revenue',
    ],
    [{ metrics: ['revenue'], timezone: '+02:00' }, 'timezone', undefined],
    [{ metrics: ['revenue'], timezone: 'Europe/../../etc' }, 'timezone', undefined],
    [{ metrics: ['revenue'], timezone: 'Europe/Berlim' }, 'timezone', undefined],
    [{}, 'metrics', undefined],
  ])('%j is reported at %s, with the near name %s', (request, path, near) => {
    const found = problems(request).find((each) => each.path === path)
    expect(found?.suggestion).toBe(near)
    expect(found).toBeDefined()
  })
})

describe('order', () => {
  test('ties are broken by all dimensions that are not named', () => {
    const { order } = planned({
      metrics: ['orders.count'],
      dimensions: ['orders.status', 'orders.amount', 'customers.segment'],
      orderBy: [{ field: 'orders.amount', direction: 'desc' }],
    })
    expect(order).toEqual([
      { by: { dimension: 1 }, isDescending: true },
      { by: { dimension: 0 }, isDescending: false },
      { by: { dimension: 2 }, isDescending: false },
    ])
  })
})
