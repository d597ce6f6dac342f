import type { Principal } from '@olytix/auth-guards'
import { aPrincipal } from '@olytix/auth-guards/testing'
import type { Cell, CubeName, Row, Shop } from './shop.js'
import { TABLES } from './shop-definitions.js'

/** Unknown, where NULL is compared. */
type Truth = boolean | null

/** A policy as it is written, and by hand: what it makes of a row. */
interface Rule {
  readonly filter: string
  readonly holds: (row: Row, shop: Shop, attributes: Attributes) => Truth
}

interface Attributes {
  readonly region: string
  readonly regions: readonly string[]
}

const not = (a: Truth): Truth => (a === null ? null : !a)
const any = (...all: Truth[]): Truth =>
  all.includes(true) ? true : all.includes(null) ? null : false
const every = (...all: Truth[]): Truth => not(any(...all.map(not)))
const is = (a: Cell | undefined, b: Cell | undefined): Truth =>
  (a ?? null) === null || (b ?? null) === null ? null : a === b
const among = (a: Cell | undefined, list: readonly Cell[]): Truth =>
  list.length === 0 ? false : any(...list.map((each) => is(a, each)))

/** What a row's partner makes of a test; one without a partner passes none. */
const partner =
  (column: string, to: CubeName, test: (row: Row, shop: Shop) => Truth) =>
  (row: Row, shop: Shop): Truth => {
    const found = shop[to].find(({ id }) => is(id, row[column]) === true)
    return found ? test(found, shop) : false
  }

const isVip = (row: Row): Truth => is(row['is_vip'], true)
const isFar = (row: Row): Truth => is(row['is_far'], true)
const ofVip = partner('customer_id', 'customers', isVip)
const ofFar = partner('country_id', 'countries', isFar)
const vipOnly: Rule = { filter: 'customers.is_vip = true', holds: ofVip }

/** By role and cube; where a role has no rule it sees all rows. */
const RULES: Readonly<Record<string, Partial<Record<CubeName, Rule>>>> = {
  everything: {},
  region: {
    orders: {
      filter: 'region = $user.region',
      holds: (row, _, { region }) => is(row['region'], region),
    },
    items: {
      filter: 'orders.region = $user.region',
      holds: (row, shop, { region }) =>
        partner('order_id', 'orders', (order) => is(order['region'], region))(row, shop),
    },
  },
  list: {
    orders: {
      filter: 'region in $user.regions',
      holds: (row, _, { regions }) => among(row['region'], regions),
    },
  },
  vips: {
    customers: { filter: 'is_vip = true', holds: isVip },
    orders: vipOnly,
    tickets: vipOnly,
    balances: vipOnly,
    items: {
      filter: 'customers.is_vip = true',
      holds: partner('order_id', 'orders', ofVip),
    },
  },
  far: {
    countries: { filter: 'is_far = true', holds: isFar },
    customers: { filter: 'countries.is_far = true', holds: ofFar },
    orders: {
      filter: 'orders.customers.countries.is_far = true',
      holds: partner('customer_id', 'customers', ofFar),
    },
  },
  odd: {
    orders: {
      filter:
        "not region in ('north', 'a_b') and not (customers.is_vip = true or quantity is null)",
      holds: (row, shop) => {
        const isOther = not(among(row['region'], ['north', 'a_b']))
        const customer = partner('customer_id', 'customers', (found) => not(isVip(found)))
        return every(isOther, customer(row, shop), row['quantity'] !== null)
      },
    },
    customers: {
      filter: 'credit between 1 and 3 or segment is null',
      holds: ({ credit, segment }) =>
        any(credit === null ? null : Number(credit) >= 1 && Number(credit) <= 3, segment === null),
    },
    balances: {
      filter: "day >= '2024-02-01' and account <> 'b'",
      holds: ({ day, account }) =>
        every(day === null ? null : String(day) >= '2024-02-01', not(is(account, 'b'))),
    },
  },
}

const rolesOf = Object.keys(RULES)

/** `big_orders` has the policies of `orders`, over its own dimensions. */
function ruleOf(role: string, cube: CubeName): Rule | undefined {
  return RULES[role]?.[cube === 'big_orders' ? 'orders' : cube]
}

/** Every role has a policy for every cube. */
export const POLICIES = [...TABLES, 'big_orders' as const]
  .flatMap((cube) =>
    rolesOf.map((role) => {
      const own = ruleOf(role, cube)?.filter
      const filter = cube === 'big_orders' ? own?.replace(/^orders\./, 'big_orders.') : own
      const more = filter === undefined ? '' : `, filter: "${filter}"`
      return `\n  - {name: ${cube}_${role}, cube: ${cube}, roles: [${role}]${more}}`
    }),
  )
  .join('')

const asked = (roles: readonly string[], regions: readonly string[] = []): Principal => {
  return aPrincipal({
    id: roles.join('+') + regions.join(),
    roles,
    attributes: { region: 'south', regions },
  })
}

export const PRINCIPALS: readonly Principal[] = [
  asked(['everything']),
  asked(['region']),
  asked(['list'], ['north', 'a_b']),
  asked(['list']),
  asked(['vips']),
  asked(['far']),
  asked(['odd']),
  asked(['region', 'vips', 'unknown']),
]

/** The rows that a principal may see, chosen by hand. */
export function visibleTo({ roles, attributes }: Principal, shop: Shop): Shop {
  const { region, regions } = attributes
  const known: Attributes = {
    region: String(region),
    regions: Array.isArray(regions) ? regions.map(String) : [],
  }
  const kept = (cube: CubeName): Row[] =>
    shop[cube].filter((row) =>
      roles.some((role) => {
        if (!RULES[role]) return false
        const rule = ruleOf(role, cube)
        return !rule || rule.holds(row, shop, known) === true
      }),
    )
  return {
    countries: kept('countries'),
    customers: kept('customers'),
    orders: kept('orders'),
    items: kept('items'),
    tickets: kept('tickets'),
    balances: kept('balances'),
    tiers: kept('tiers'),
    big_orders: kept('big_orders'),
  }
}
