import { beforeAll, describe, expect, test } from '@jest/globals'
import type { AttributeValue } from '@olytix/auth-guards'
import { aPrincipal } from '@olytix/auth-guards/testing'
import { loadModule } from 'libpg-query'
import { buildProject } from '../project/build-project.js'
import type { Project } from '../project/project.js'
import { planQuery } from '../semantics/plan-query.js'
import type { QueryRequest } from '../semantics/query-request.js'
import { type Guard, guardPlan } from './guard-plan.js'
import { Visibility } from './visibility.js'

const CUBES = `cubes:
  - name: orders
    sql_table: raw.orders
    measures:
      - {name: count, type: count}
      - {name: revenue, type: sum, sql: amount}
      - {name: per_item, type: sum, sql: amount / items}
      - {name: costs, type: sum, sql: cost}
      - {name: dear_count, type: count, filters: [{sql: cost > 9}]}
      - {name: most_per_item, type: max, sql: amount / items}
      - {name: margin, type: number, sql: "{revenue} / {count}"}
    dimensions:
      - {name: region, type: string}
      - {name: tenant, type: number}
      - {name: is_open, type: boolean}
      - {name: made_at, type: time}
      - {name: cost, type: number}
      - {name: price, type: number, sql: "{cost} * 2"}
      - {name: is_dear, type: boolean, sql: "{CUBE}.cost > 9"}
    segments: [{name: dear, sql: cost > 9}]
    joins: [{name: customers, relationship: many_to_one, sql: "{CUBE}.customer_id = {customers}.id"}]
  - {name: customers, sql_table: raw.customers, dimensions: [{name: segment, type: string}], measures: [{name: count, type: count}]}
  - {name: backdoor, sql: "select region from raw.orders", dimensions: [{name: region, type: string}]}
  - {name: open, sql_table: raw.calendar, dimensions: [{name: day, type: time}]}
`
const METRICS = `metrics:
  - {name: revenue, type: simple, expression: orders.revenue}
  - {name: secret_share, type: derived, expression: orders.revenue / orders.per_item}
`

let tables: (policies: string) => Project
beforeAll(async () => {
  await loadModule()
  const file = (path: string, text: string) => ({ path, text })
  const sources =
    'sources: [{name: raw, tables: [{name: orders}, {name: customers}, {name: calendar}]}]'
  tables = (policies) =>
    buildProject(
      {
        project: file('p.yml', 'name: p'),
        sources: [file('s.yml', sources)],
        models: [],
        cubes: [file('c.yml', CUBES)],
        metrics: [file('m.yml', METRICS)],
        policies: [file('r.yml', `policies:\n${policies}`)],
      },
      {},
    )
})

interface Asked {
  readonly roles?: readonly string[]
  readonly attributes?: Readonly<Record<string, AttributeValue>>
  readonly request?: Partial<QueryRequest>
}

function guards(policies: string, { roles = ['a'], attributes = {}, request = {} }: Asked) {
  const project = tables(policies)
  const whole: QueryRequest = {
    metrics: ['orders.count'],
    dimensions: [],
    filters: [],
    segments: [],
    orderBy: [],
    limit: 1000,
    offset: 0,
    timezone: 'UTC',
    ...request,
  }
  const principal = aPrincipal({ id: 'usr_1', email: 'a@b.c', roles, attributes })
  const visibility = new Visibility(project, principal)
  visibility.requireVisible(whole)
  const plan = planQuery(project, whole, visibility.vocabulary())
  if (!('facts' in plan)) throw new Error(JSON.stringify(plan))
  return guardPlan(plan, project, principal)
}

/** The guard of `orders` as short text. */
function guardOf(policies: string, asked: Asked): string {
  const guard = guards(policies, asked).facts[0]?.guards.get('orders')
  return guard ? shown(guard.predicate) : 'none'
}

function shown(predicate: Guard['predicate']): string {
  if (predicate === 'unrestricted') return predicate
  if (predicate.kind === 'and' || predicate.kind === 'or') {
    return `(${predicate.conditions.map(shown).join(` ${predicate.kind} `)})`
  }
  if (predicate.kind === 'sqlNot') return `not ${shown(predicate.condition)}`
  return predicate.kind === 'test' ? JSON.stringify(predicate.test) : predicate.kind
}

const policy = (filter: string, rest = '') =>
  `  - {name: p, cube: orders, roles: [a], filter: ${filter}${rest}}`
const equals = (type: string, value: unknown) =>
  JSON.stringify({ kind: 'compare', operator: '=', value: { type, value } })

describe('an attribute becomes a bound value', () => {
  test.each<[string, AttributeValue, string]>([
    ['region = $user.x', 'West', equals('text', 'West')],
    ['region = $user.x', "' OR 1=1 --", equals('text', "' OR 1=1 --")],
    ['tenant = $user.x', 5, equals('bigint', '5')],
    ['tenant = $user.x', 1.5, equals('numeric', '1.5')],
    ['is_open = $user.x', false, equals('boolean', false)],
    ['made_at = $user.x', '2016-01-01', equals('timestamp', '2016-01-01T00:00:00')],
    [
      'region in $user.x',
      ['a', 'b'],
      '{"kind":"in","type":"text","values":["a","b"],"isNegated":false}',
    ],
    ['region in $user.x', [], 'never'],
    ['not region in $user.x', [], 'never'],
    ['region not in $user.x', [], 'never'],
    ['not (region in $user.x and tenant = 1)', [], `(never or not ${equals('bigint', '1')})`],
    ['region = $user.id', '', equals('text', 'usr_1')],
    ['region = $user.email', '', equals('text', 'a@b.c')],
    ['region in $user.roles', '', '{"kind":"in","type":"text","values":["a"],"isNegated":false}'],
  ])('%s with %j', (filter, x, expected) => {
    expect(guardOf(policy(filter), { attributes: { x } })).toBe(expected)
  })

  test('a list of ten thousand values is one value', () => {
    const x = Array.from({ length: 10_000 }, (_, index) => String(index))
    expect(guardOf(policy('region in $user.x'), { attributes: { x } })).toContain('"9999"')
  })
})

describe('an attribute that is missing, empty or of another type is FORBIDDEN', () => {
  test.each<[string, Record<string, unknown>]>([
    ['region = $user.x', {}],
    ['region = $user.x', { x: '' }],
    ['region = $user.x', { x: null }],
    ['region = $user.x', { x: undefined }],
    ['region = $user.x', { x: 5 }],
    ['region = $user.x', { x: ['West'] }],
    ['region = $user.x', { x: 'a\0b' }],
    ['region = $user.constructor', {}],
    ['region = $user.x or region is not null', {}],
    ['tenant = $user.x', { x: '5' }],
    ['tenant = $user.x', { x: Number.NaN }],
    ['is_open = $user.x', { x: 'true' }],
    ['made_at = $user.x', { x: 'yesterday' }],
    ['region in $user.x', { x: 'West' }],
    ['region in $user.x', { x: [null] }],
    ['region in $user.x', { x: ['a', 5] }],
    ['region in $user.x', { x: ['a', ''] }],
  ])('%s with %j', (filter, attributes) => {
    expect(() =>
      guardOf(policy(filter), { attributes: attributes as Record<string, AttributeValue> }),
    ).toThrow('Insufficient permissions for this resource')
  })
})

describe('which policies count', () => {
  const two = `${policy('region = $user.x')}
  - {name: q, cube: orders, roles: [b], filter: tenant = 1}
  - {name: all, cube: orders, roles: [c]}`
  const x = { x: 'West' }

  test.each<[readonly string[], string]>([
    [['a'], equals('text', 'West')],
    [['b'], equals('bigint', '1')],
    [['b', 'a'], `(${equals('text', 'West')} or ${equals('bigint', '1')})`],
    [['c'], 'unrestricted'],
    [['a', 'c'], 'unrestricted'],
  ])('roles %j', (roles, expected) => {
    expect(guardOf(two, { roles, attributes: x })).toBe(expected)
  })

  test.each([[[]], [['A']], [['x']], [['*']]])(
    'roles %j are served by none: FORBIDDEN',
    (roles) => {
      expect(() => guardOf(two, { roles, attributes: x })).toThrow('Insufficient permissions')
    },
  )

  test('"*" serves everyone', () => {
    expect(guardOf('  - {name: p, cube: orders, roles: ["*"]}', { roles: [] })).toBe('unrestricted')
  })

  test('a cube without policies is open, unless it reads what a cube with policies reads', () => {
    expect(guards(two, { request: { metrics: [], dimensions: ['open.day'] } }).policies).toEqual([])
    expect(() =>
      guards(two, { roles: ['c'], request: { metrics: [], dimensions: ['backdoor.region'] } }),
    ).toThrow('Insufficient permissions')
  })

  test('a joined cube needs a policy too, although none of its members is asked for', () => {
    const both = `${policy('region = $user.x')}
  - {name: c, cube: customers, roles: [boss]}`
    const request = { dimensions: ['customers.segment'] }
    expect(() => guards(both, { attributes: x, request })).toThrow('Insufficient permissions')
    const { facts, policies } = guards(both, { roles: ['a', 'boss'], attributes: x, request })
    expect([...(facts[0]?.guards.keys() ?? [])]).toEqual(['orders', 'customers'])
    expect(policies).toEqual(['c', 'p'])
  })
})

describe('members that a policy does not open', () => {
  const policies = `  - {name: p, cube: orders, roles: [a], exclude_members: [cost, per_item]}
  - {name: q, cube: orders, roles: [b], filter: tenant = 1, exclude_members: [region]}`

  test.each<[string, Partial<QueryRequest>]>([
    ['selected', { dimensions: ['orders.cost'] }],
    ['alone', { metrics: [], dimensions: ['orders.cost'] }],
    ['with a granularity that it cannot have', { dimensions: ['orders.cost.month'] }],
    ['with a suffix that there is none of', { dimensions: ['orders.cost.nothing'] }],
    ['filtered', { filters: [{ not: { dimension: 'orders.cost', operator: 'gt', value: 1 } }] }],
    ['ordered by', { orderBy: [{ field: 'orders.cost', direction: 'asc' }] }],
    ['aggregated', { metrics: ['orders.per_item'] }],
    ['ordered by a measure', { orderBy: [{ field: 'orders.per_item', direction: 'asc' }] }],
    [
      'compared as a metric',
      { filters: [{ metric: 'orders.per_item', operator: 'gt', value: 1 }] },
    ],
    ['needed by a metric', { metrics: ['secret_share'] }],
    ['beside an unknown name', { metrics: ['nothing'], dimensions: ['orders.cost'] }],
  ])('%s: FORBIDDEN', (_, request) => {
    expect(() => guards(policies, { request })).toThrow('Insufficient permissions')
  })

  test('only policies that open all members of a question are united', () => {
    const roles = ['a', 'b']
    expect(guardOf(policies, { roles })).toBe('unrestricted')
    expect(guardOf(policies, { roles, request: { dimensions: ['orders.cost'] } })).toBe(
      equals('bigint', '1'),
    )
    expect(() =>
      guards(policies, { roles, request: { dimensions: ['orders.cost', 'orders.region'] } }),
    ).toThrow('Insufficient permissions')
  })

  // One policy opens region and tenant, the other tenant and is_open.
  test.each<[string, string]>([
    ['region', 'first'],
    ['tenant', 'both'],
    ['is_open', 'second'],
    ['region tenant', 'first'],
    ['tenant is_open', 'second'],
    ['region is_open', 'FORBIDDEN'],
    ['region tenant is_open', 'FORBIDDEN'],
  ])('a policy counts only if it covers all members: %s under %s', (members, expected) => {
    const pair = `  - {name: first, cube: orders, roles: [a], exclude_members: [is_open]}
  - {name: second, cube: orders, roles: [a], exclude_members: [region]}`
    const request = { dimensions: members.split(' ').map((name) => `orders.${name}`) }
    const counting = (): string => guards(pair, { request }).policies.join()
    if (expected === 'FORBIDDEN') expect(counting).toThrow('Insufficient permissions')
    else expect(counting()).toBe(expected === 'both' ? 'first,second' : expected)
  })

  describe('nor what shows them under another name', () => {
    const excluding = (member: string, masking = ''): string =>
      `  - {name: p, cube: orders, roles: [a], exclude_members: [${member}]}${masking}`

    test.each<[string, Partial<QueryRequest>]>([
      ['cost', { dimensions: ['orders.price'] }],
      ['cost', { dimensions: ['orders.is_dear'] }],
      ['cost', { metrics: ['orders.costs'] }],
      ['cost', { metrics: ['orders.dear_count'] }],
      ['cost', { segments: ['orders.dear'] }],
      ['costs', { dimensions: ['orders.cost'] }],
      ['per_item', { metrics: ['orders.most_per_item'] }],
      ['is_dear', { segments: ['orders.dear'] }],
    ])('without %s: %j is FORBIDDEN', (member, request) => {
      expect(() => guards(excluding(member), { request })).toThrow('Insufficient permissions')
      expect(() => guards(excluding('region'), { request })).not.toThrow()
    })

    test('unless an admin says that it may be shown', () => {
      const opened = '\nmasking:\n  - {name: m, cube: orders, members: [costs], mask: none}'
      const request = { metrics: ['orders.costs'] }
      expect(() => guards(excluding('cost', opened), { request })).not.toThrow()
    })

    test('of what is computed, the columns stay open', () => {
      const request = { metrics: ['orders.revenue'] }
      expect(() => guards(excluding('per_item'), { request })).not.toThrow()
    })
  })

  test('are not suggested', () => {
    const visible = new Visibility(tables(policies), aPrincipal({ roles: ['a'] })).vocabulary()
    expect(visible.dimensions()).not.toContain('orders.cost')
    expect(visible.metrics()).toEqual([
      'revenue',
      'orders.count',
      'orders.revenue',
      'orders.margin',
      'customers.count',
    ])
  })
})

describe('a row limit', () => {
  const limited =
    policy('tenant = 1', ', row_limit: 10') +
    '\n  - {name: q, cube: orders, roles: [b], row_limit: 20}\n  - {name: r, cube: orders, roles: [c]}'
  test.each<[readonly string[], number, number, number]>([
    [['a'], 1000, 0, 10],
    [['a'], 5, 0, 5],
    [['a'], 5, 8, 2],
    [['a'], 5, 100, 0],
    [['a', 'b'], 1000, 0, 20],
    [['a', 'c'], 1000, 0, 1000],
  ])('of %j, asked for %d after %d: %d', (roles, limit, offset, expected) => {
    expect(guards(limited, { roles, request: { limit, offset } }).limit).toBe(expected)
  })
})

describe('a fence', () => {
  const isFenced = (request: Partial<QueryRequest>, filter = 'tenant = 1') =>
    guards(policy(filter), { request }).facts[0]?.guards.get('orders')?.isFenced

  test.each<[string, boolean, Partial<QueryRequest>]>([
    [
      'is not needed for columns and comparisons',
      false,
      {
        metrics: ['orders.revenue'],
        filters: [{ dimension: 'orders.region', operator: 'equals', value: 'x' }],
      },
    ],
    ['is not needed for a range of time', false, { dimensions: ['orders.made_at.month'] }],
    ['keeps a division off hidden rows', true, { metrics: ['orders.per_item'] }],
    [
      'keeps ILIKE off hidden rows',
      true,
      { filters: [{ dimension: 'orders.region', operator: 'contains', value: 'x' }] },
    ],
  ])('%s', (_, expected, request) => {
    expect(isFenced(request)).toBe(expected)
  })

  test('stands only where something is hidden', () => {
    const all = guards('  - {name: p, cube: orders, roles: [a]}', {
      request: { metrics: ['orders.per_item'] },
    })
    expect(all.facts[0]?.guards.get('orders')).toEqual({
      predicate: 'unrestricted',
      isFenced: false,
      masks: [],
    })
  })
})
