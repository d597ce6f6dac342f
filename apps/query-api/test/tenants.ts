import type { Principal } from '@olytix/auth-guards'
import { aPrincipal } from '@olytix/auth-guards/testing'

/**
 * Two tenants in the same tables. What only b has: the greatest and least amounts and dates, the region ONLY_B, and texts
 * that can be neither cast nor used as a pattern. An order of a has a customer of b, and one of b a customer of a.
 */
export const SETUP = `
  create table raw.countries (code text, name text);
  insert into raw.countries values ('de', 'Germany'), ('fr', 'France'), ('us', 'America');
  create table raw.customers (id int, tenant text, tier text, country text, code text);
  insert into raw.customers values
    (1, 'a', 'gold', 'de', '1'), (2, 'a', 'iron', 'fr', '2'), (11, 'b', 'ONLY_B', 'us', 'bad'), (12, 'b', 'gold', 'de', 'bad');
  create table raw.orders (id int, tenant text, customer_id int, region text, amount numeric, items int, made_on date,
    code text, note text, days int);
  insert into raw.orders values
    (1, 'a', 1, 'North', 10, 2, '2024-02-03', '11', 'x', 1),
    (2, 'a', 1, 'South', 20, 0, '2024-02-20', '12', 'y', 2),
    (3, 'a', 2, 'North', 30.5, 3, '2024-04-01', '13', 'x.z', 3),
    (4, 'a', 11, 'East', 40, 1, '2024-04-15', '14', '(a|b)', 4),
    (5, 'a', null, 'West', null, 5, '2024-05-05', null, null, null),
    (6, 'a', 2, 'North', 10, 2, null, '16', 'x', 6),
    (21, 'b', 11, 'ONLY_B', 0, 0, '1970-01-01', 'bad', '(', 2147483647),
    (22, 'b', 12, 'North', 1234512345123, 1, '2099-12-31', 'bad', '[', -2147483647),
    (23, 'b', 1, 'South', 7654321, 1, '2024-03-03', 'bad', '*', 5),
    (24, 'b', 12, 'ONLY_B', 8765432, 2, '2024-02-03', '', '(', 6);
  create table raw.payments (id int, tenant text, customer_id int, paid numeric, paid_on date);
  insert into raw.payments values
    (1, 'a', 1, 5, '2024-02-05'), (2, 'a', 2, 6, '2024-04-02'), (3, 'a', 11, 7, '2024-04-20'),
    (4, 'b', 11, 9876543, '1971-01-01'), (5, 'b', 1, 6543217, '2024-03-09');`

/** What nobody of a may tell from the outside. */
export const CHANGE_B = `
  update raw.orders set amount = amount + 5, region = region || '_2', made_on = made_on - 3, code = 'x', note = '[[', days = 0,
    items = 0 where tenant = 'b';
  delete from raw.orders where id = 24;
  insert into raw.orders values (25, 'b', 2, 'South', -1, 0, '0001-01-01', 'y', '\\', 9);
  update raw.customers set tier = 'OTHER_B', country = 'de', code = 'y' where tenant = 'b';
  update raw.payments set paid = 0, paid_on = '2030-01-01' where tenant = 'b';`

/** Only b has these. */
export const SENTINELS = /ONLY_B|1234512345123|7654321|8765432|9876543|6543217|1970|1971|2099|bad/

export const TABLES = ['countries', 'customers', 'orders', 'payments']

const SLOW = `${'upper(lower('.repeat(9)}tenant${'))'.repeat(9)}`

export const CUBES = `
  - name: countries
    sql_table: raw.countries
    dimensions: [{name: code, type: string, primary_key: true}, {name: name, type: string}]
  - name: customers
    sql_table: raw.customers
    measures: [{name: count, type: count}]
    dimensions:
      - {name: id, type: number, primary_key: true}
      - {name: tenant, type: string}
      - {name: tier, type: string}
      - {name: code_number, type: number, sql: "code::int"}
      - {name: slow, type: string, sql: "${SLOW}"}
    joins: [{name: countries, relationship: many_to_one, sql: "{CUBE}.country = {countries}.code"}]
  - name: orders
    sql_table: raw.orders
    measures:
      - {name: count, type: count}
      - {name: total, type: sum, sql: amount}
      - {name: least, type: min, sql: amount}
      - {name: greatest, type: max, sql: amount}
      - {name: middle, type: median, sql: amount}
      - {name: buyers, type: count_distinct, sql: customer_id}
      - {name: first_day, type: min, sql: "{made_on}"}
      - {name: last_day, type: max, sql: "{made_on}"}
      - {name: per_item, type: sum, sql: amount / items}
      - {name: mean, type: number, sql: "{total} / {count}"}
      - {name: of_numbers, type: sum, sql: "code::int"}
      - {name: north, type: count, filters: [{sql: region = 'North'}]}
    dimensions:
      - {name: id, type: number, primary_key: true}
      - {name: tenant, type: string}
      - {name: region, type: string}
      - {name: made_on, type: time, primary_time: true}
      - {name: note, type: string}
      - {name: inverse, type: number, sql: 1 / amount}
      - {name: code_number, type: number, sql: "code::int"}
      - {name: matches, type: boolean, sql: "'abc' ~ note"}
      - {name: power, type: number, sql: exp(amount)}
      - {name: later, type: time, sql: "made_on + make_interval(0, 0, 0, days)"}
      - {name: slow, type: string, sql: "${SLOW}"}
    segments: [{name: large, sql: amount > 15}, {name: numbered, sql: "code::int > 11"}]
    joins: [{name: customers, relationship: many_to_one, sql: "{CUBE}.customer_id = {customers}.id"}]
  - name: payments
    sql_table: raw.payments
    measures: [{name: count, type: count}, {name: paid, type: sum, sql: paid}]
    dimensions:
      - {name: id, type: number, primary_key: true}
      - {name: tenant, type: string}
      - {name: paid_on, type: time}
    joins: [{name: customers, relationship: many_to_one, sql: "{CUBE}.customer_id = {customers}.id"}]
`

export const TIME_SPINES = '[{granularity: day, from: 2024-01-01, to: 2024-06-30}]'

export const METRICS = `
  - {name: total, type: simple, expression: orders.total}
  - {name: open_sum, type: derived, expression: orders.total - payments.paid}
  - {name: paid_share, type: ratio, numerator: {expression: payments.paid}, denominator: {expression: orders.total}}
  - {name: total_so_far, type: cumulative, expression: orders.total}
  - {name: change, type: derived, expression: current.total - prior.total}
  - name: gold_orders
    type: simple
    expression: orders.count
    filters: [{dimension: customers.tier, operator: equals, value: gold}]
`

/** How a principal of a is kept to what they may see. */
export interface Kind {
  readonly roles: readonly string[]
  /** What must be deleted for the same without any filter. */
  readonly twin: readonly string[]
  /** Whether nothing of b is to be seen. */
  readonly isTight: boolean
}

const OF_B = ['orders', 'customers', 'payments'].map(
  (table) => `delete from raw.${table} where tenant = 'b'`,
)

export const KINDS: Readonly<Record<string, Kind>> = {
  'tenant = attribute': { roles: ['tenant'], twin: OF_B, isTight: true },
  'tenant in a list': { roles: ['list'], twin: OF_B, isTight: true },
  'a costly predicate': { roles: ['slow'], twin: OF_B, isTight: true },
  'a mask': { roles: ['mask'], twin: OF_B, isTight: true },
  'a row limit': { roles: ['limit'], twin: OF_B, isTight: true },
  'a policy on the joined cube only': {
    roles: ['joined'],
    twin: ["delete from raw.customers where tenant = 'b'"],
    isTight: false,
  },
  'a policy through a join': {
    roles: ['through'],
    twin: ['orders', 'payments'].map(
      (table) =>
        `delete from raw.${table} where customer_id is null or customer_id not in (select id from raw.customers where tenant = 'a')`,
    ),
    isTight: false,
  },
  'two policies united': {
    roles: ['tenant', 'north'],
    twin: [
      "delete from raw.orders where not (tenant = 'a' or region = 'North')",
      "delete from raw.customers where not (tenant = 'a' or tier = 'gold')",
      "delete from raw.payments where tenant = 'b'",
    ],
    isTight: false,
  },
  'all rows': { roles: ['all'], twin: [], isTight: false },
}

const own = 'tenant = $user.tenant'
const FILTERS: Readonly<
  Record<string, readonly [string | undefined, string | undefined, string | undefined]>
> = {
  tenant: [own, own, own],
  list: ['tenant in $user.tenants', 'tenant in $user.tenants', 'tenant in $user.tenants'],
  slow: ['slow = $user.slow_tenant', 'slow = $user.slow_tenant', own],
  mask: [own, own, own],
  limit: [own, own, own],
  joined: [undefined, own, undefined],
  through: ['customers.tenant = $user.tenant', undefined, 'customers.tenant = $user.tenant'],
  north: ["region = 'North'", "tier = 'gold'", own],
  all: [undefined, undefined, undefined],
}

/** @param isFiltering `false`: of the twin, which has only the rows that the policies let through */
export function policies(isFiltering: boolean): string {
  return Object.entries(FILTERS)
    .flatMap(([role, filters]) =>
      ['orders', 'customers', 'payments'].map((cube, index) => {
        const filter = isFiltering && filters[index] ? `, filter: "${filters[index]}"` : ''
        const limit = role === 'limit' && cube === 'orders' ? ', row_limit: 2' : ''
        return `\n  - {name: ${cube}_${role}, cube: ${cube}, roles: [${role}]${filter}${limit}}`
      }),
    )
    .join('')
}

const exempt = Object.keys(FILTERS).filter((role) => role !== 'mask')

export const MASKING = `
  - {name: notes, cube: orders, members: [note], except_roles: [${exempt.join()}], mask: partial}`

export function tenantA({ roles }: Kind, more: Partial<Principal> = {}): Principal {
  const attributes = { tenant: 'a', tenants: ['a'], slow_tenant: 'A' }
  return aPrincipal({ id: roles.join('+'), roles, attributes, scopes: ['read', 'admin'], ...more })
}
