import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { aPrincipal } from '@olytix/auth-guards/testing'
import { type SmallProject, startSmallProject } from './small-project.js'

const CUBES = `
  - name: orders
    sql_table: raw.orders
    dimensions:
      - {name: id, type: number, primary_key: true}
      - {name: amount, type: number}
      - {name: days, type: number, sql: "days_text::int"}
    measures:
      - {name: count, type: count}
      - {name: total, type: sum, sql: amount}
    joins:
      - {name: customers, relationship: many_to_one, sql: "{CUBE}.customer_id = {customers}.id"}
      - {name: payer, cube: customers, relationship: many_to_one, sql: "{CUBE}.payer_id = {payer}.id"}
  - name: customers
    sql_table: raw.customers
    dimensions:
      - {name: id, type: number, primary_key: true}
      - {name: region, type: string}
      - {name: tier, type: string}
    measures: [{name: count, type: count}]
    joins: [{name: countries, relationship: many_to_one, sql: "{CUBE}.country = {countries}.code"}]
  - name: countries
    sql_table: raw.countries
    dimensions: [{name: code, type: string, primary_key: true}, {name: continent, type: string}]
`
const POLICIES = `
  - {name: by_region, cube: orders, roles: [region], filter: orders.customers.region = $user.region}
  - {name: by_payer, cube: orders, roles: [payer], filter: payer.region = $user.region}
  - {name: by_list, cube: orders, roles: [list], filter: orders.customers.region in $user.regions}
  - {name: not_east, cube: orders, roles: [not_east], filter: not orders.customers.region = 'East'}
  - {name: no_region, cube: orders, roles: [no_region], filter: orders.customers.region is null}
  - {name: small_or_gold, cube: orders, roles: [small_or_gold], filter: amount < 3 or orders.customers.tier = 'gold'}
  - {name: gold_west, cube: orders, roles: [gold_west], filter: orders.customers.tier = 'gold' and orders.customers.region = 'West'}
  - {name: by_continent, cube: orders, roles: [continent], filter: orders.customers.countries.continent = $user.continent}
  - {name: customers_by_country, cube: customers, roles: [continent], filter: countries.continent = $user.continent}
  - {name: all_customers, cube: customers, roles: [region, payer, list]}
`

let small: SmallProject
beforeAll(async () => {
  small = await startSmallProject({
    setup: `
      create table raw.countries (code text, continent text);
      insert into raw.countries values ('de', 'Europe'), ('fr', 'Europe'), ('us', 'America');
      create table raw.customers (id int, region text, tier text, country text);
      insert into raw.customers values
        (1, 'West', 'gold', 'de'), (2, 'East', 'gold', 'us'), (3, null, 'iron', 'fr'),
        (4, 'West', 'iron', 'us'), (4, 'West', 'iron', 'us'),
        (5, 'West', 'iron', null), (5, 'East', 'gold', null);
      create table raw.orders (id int, customer_id int, payer_id int, amount int, days_text text);
      insert into raw.orders values
        (1, 1, 2, 1, '1'), (2, 1, 1, 2, '2'), (3, 2, 1, 4, 'ten'), (4, 3, 3, 8, '4'), (5, 4, 4, 16, '5'),
        (6, 9, 9, 32, '6'), (7, null, null, 64, '7'), (8, 5, 2, 128, '8');`,
    tables: ['countries', 'customers', 'orders'],
    cubes: CUBES,
    policies: POLICIES,
  })
})
afterAll(() => small.stop())

const attributes = { region: 'West', regions: ['East', 'North'], continent: 'Europe' }
const asRole = (role: string, more = {}) =>
  aPrincipal({ roles: [role], attributes: { ...attributes, ...more } })
const total = async (role: string, more = {}): Promise<unknown> =>
  (await small.ask({ metrics: ['orders.total'] }, asRole(role, more)))[0]?.['orders.total']

describe('a policy that compares a dimension of a joined cube', () => {
  test.each<[string, number, string]>([
    ['region', 1 + 2 + 16 + 128, 'rows whose customer passes, each once'],
    ['payer', 2 + 4 + 16, 'over the join that is spelled out'],
    ['list', 4 + 128, 'a list'],
    ['not_east', 1 + 2 + 16 + 128, 'what compares with NULL, or has no customer, is hidden'],
    ['no_region', 8, 'a customer without a region is not an order without a customer'],
    ['small_or_gold', 1 + 2 + 4 + 128, 'beside a dimension of its own'],
    ['gold_west', 1 + 2, 'two tests of one customer'],
    ['continent', 1 + 2 + 8, 'over two joins'],
  ])('%s: %d, %s', async (role, expected) => {
    expect(await total(role)).toBe(expected)
  })

  test('holds in a question that names the other cube too, which keeps its own policy', async () => {
    const body = { metrics: ['orders.total'], dimensions: ['orders.customers.region'] }
    expect(await small.ask(body, asRole('continent'))).toEqual([
      { 'orders.customers.region': 'West', 'orders.total': 3 },
      { 'orders.customers.region': null, 'orders.total': 8 },
    ])
  })

  test('holds for values, row counts and totals', async () => {
    const ids = await small.ask({ dimensions: ['orders.id'] }, asRole('continent'))
    expect(ids).toEqual([1, 2, 4].map((id) => ({ 'orders.id': id })))
  })

  test('an attribute that is missing is FORBIDDEN, an empty list gives no rows', async () => {
    await expect(total('region', { region: '' })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(total('region', { region: 5 })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(await total('list', { regions: [] })).toBeNull()
  })

  // PostgreSQL makes a semi-join of EXISTS and would cast first.
  test('keeps a cast off hidden rows', async () => {
    const filters = [{ dimension: 'orders.days', operator: 'gte', value: 2 }]
    expect(await small.ask({ metrics: ['orders.total'], filters }, asRole('continent'))).toEqual([
      { 'orders.total': 2 + 8 },
    ])
  })
})
