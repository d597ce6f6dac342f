import { beforeAll, expect, test } from '@jest/globals'
import { loadModule } from 'libpg-query'
import { buildProject } from './build-project.js'
import type { Project } from './project.js'

beforeAll(() => loadModule())

const CUBES = `cubes:
  - name: orders
    sql_table: raw.orders
    dimensions: [{name: region, type: string}, {name: made_at, type: time}]
    joins:
      - {name: customers, relationship: many_to_one, sql: "{CUBE}.customer = {customers}.id"}
      - {name: billing, cube: countries, relationship: many_to_one, sql: "{CUBE}.billing = {billing}.code"}
      - {name: shipping, cube: countries, relationship: many_to_one, sql: "{CUBE}.shipping = {shipping}.code"}
      - {name: items, relationship: one_to_many, sql: "{CUBE}.id = {items}.order"}
      - {name: prices, relationship: many_to_one, sql: "{CUBE}.item = {prices}.item", valid_from: since, valid_to: until}
  - name: customers
    sql_table: raw.customers
    dimensions: [{name: tier, type: number}]
  - {name: countries, sql_table: raw.countries, dimensions: [{name: code, type: string}]}
  - {name: items, sql_table: raw.items, dimensions: [{name: kind, type: string}]}
  - {name: prices, sql_table: raw.prices, dimensions: [{name: level, type: string}]}
`

function build(filter: string): Project {
  const file = (path: string, text: string) => ({ path, text })
  const tables = 'orders customers countries items prices'.split(' ')
  const sources = `sources: [{name: raw, tables: [${tables.map((name) => `{name: ${name}}`).join()}]}]`
  const files = {
    project: file('p.yml', 'name: p'),
    sources: [file('s.yml', sources)],
    models: [],
    cubes: [file('c.yml', CUBES)],
    metrics: [],
    policies: [
      file('r.yml', `policies:\n  - {name: p, cube: orders, roles: [a], filter: ${filter}}`),
    ],
  }
  return buildProject(files, {})
}

test.each<[string, string, readonly string[]]>([
  ['region = $user.x', 'region', []],
  ['orders.region = $user.x', 'region', []],
  ['customers.tier = $user.x', 'tier', ['customers']],
  ['orders.customers.tier = $user.x', 'tier', ['customers']],
  ['billing.code = $user.x', 'code', ['billing']],
  ['orders.shipping.code = $user.x', 'code', ['shipping']],
])('%s looks at %s through %j', (filter, dimension, names) => {
  const through = names.map((name): unknown => expect.objectContaining({ name }))
  expect(build(filter).policies[0]?.filter).toMatchObject({ dimension, through })
})

test.each<[string, string, string | undefined]>([
  ['regoin = $user.x', '"regoin" is no dimension of orders or of a cube that it joins', 'region'],
  [
    'customers.teir = $user.x',
    '"customers.teir" is no dimension of orders or of a cube that it joins',
    'customers.tier',
  ],
  [
    'made_at.month = $user.x',
    '"made_at.month" is no dimension of orders or of a cube that it joins',
    undefined,
  ],
  [
    'countries.code = $user.x',
    '"countries.code" can be reached in several ways: orders.billing, orders.shipping; spell out one',
    undefined,
  ],
  [
    'items.kind = $user.x',
    '"items.kind" cannot be reached from orders: no join leads there to one row',
    undefined,
  ],
  [
    'prices.level = $user.x',
    '"prices.level" is reached through prices, a join to a table with history',
    undefined,
  ],
  ["customers.tier = 'gold'", 'expected a number or $user.<attribute>, found "gold"', undefined],
])('%s is refused at its place', (filter, message, suggestion) => {
  let problem: unknown
  try {
    build(filter)
  } catch (error) {
    problem = error
  }
  const detail = { path: 'r.yml', line: 2, message, ...(suggestion ? { suggestion } : {}) }
  expect(problem).toMatchObject({ code: 'INVALID_PROJECT', details: [detail] })
})
