import { aPrincipal } from '@olytix/auth-guards/testing'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type QueryApp, startQueryApp } from './query-app.js'
import { type SmallProject, startSmallProject } from './small-project.js'

const analyst = { roles: ['analyst'] }
const PRINCIPALS = {
  west: aPrincipal({ ...analyst, id: 'key_a', attributes: { region: 'West' } }),
  east: aPrincipal({ ...analyst, id: 'key_a', attributes: { region: 'East' } }),
  lost: aPrincipal({ ...analyst, id: 'key_lost' }),
  boss: aPrincipal({
    id: 'key_boss',
    roles: ['boss', 'analyst'],
    attributes: { region: 'West' },
  }),
  admin: aPrincipal({ id: 'usr_admin', roles: ['nothing'], scopes: ['read', 'write', 'admin'] }),
}
type Who = keyof typeof PRINCIPALS

const QUESTION = { metrics: ['sales.amount'], dimensions: ['people.name'] }

let small: SmallProject
let app: QueryApp
beforeAll(async () => {
  small = await startSmallProject({
    setup: `
      create table raw.people (id int primary key, name text, region text);
      create table raw.sales (id int primary key, person int, amount int, cost int);
      create table raw.days (day date);`,
    tables: ['people', 'sales', 'days'],
    cubes: `
  - name: people
    sql_table: raw.people
    dimensions:
      - {name: id, type: number, primary_key: true}
      - {name: name, type: string}
      - {name: region, type: string}
  - name: sales
    sql_table: raw.sales
    joins: [{name: people, relationship: many_to_one, sql: "{CUBE}.person = {people}.id"}]
    dimensions: [{name: id, type: number, primary_key: true, public: false}]
    measures:
      - {name: amount, type: sum, sql: amount}
      - {name: cost, type: sum, sql: cost}
  - {name: days, sql_table: raw.days, refresh_key: {every: 10 minutes}, measures: [{name: count, type: count}]}`,
    metrics: `
  - {name: margin, type: derived, expression: "sales.amount - sales.cost"}`,
    policies: `
  - {name: own_region, cube: people, roles: [analyst], filter: "region = $user.region and name <> 'secret-literal'"}
  - {name: all_people, cube: people, roles: [boss]}
  - {name: amounts, cube: sales, roles: [analyst], exclude_members: [cost], row_limit: 500}
  - {name: all_sales, cube: sales, roles: [boss]}`,
    masking: `
  - {name: names, cube: people, members: [name], except_roles: [boss], mask: {value: secret-mask}}`,
  })
  app = await startQueryApp(small, PRINCIPALS)
})
afterAll(async () => {
  await app.close()
  await small.stop()
})

async function explain(who: Who, body: object): Promise<[number, string]> {
  const response = await fetch(`${app.url}/explain`, {
    method: 'POST',
    headers: { authorization: `Bearer ${who}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return [response.status, await response.text()]
}

const parsed = ([status, text]: [number, string]): unknown => {
  expect(status).toBe(200)
  return JSON.parse(text)
}

describe('POST /query/explain', () => {
  test('names policies with why they serve, what they ask, masks and joins', async () => {
    expect(parsed(await explain('west', QUESTION))).toEqual({
      decision: 'allowed',
      principal: { id: 'key_a', kind: expect.any(String), email: null, roles: ['analyst'] },
      revision: 0,
      cubes: [
        {
          name: 'sales',
          members: ['amount'],
          access: 'policies',
          policies: [
            {
              name: 'amounts',
              serves: ['analyst'],
              filters_rows: false,
              attributes: [],
              row_limit: 500,
            },
          ],
        },
        {
          name: 'people',
          members: ['name'],
          access: 'policies',
          policies: [
            {
              name: 'own_region',
              serves: ['analyst'],
              filters_rows: true,
              attributes: ['region'],
              row_limit: null,
            },
          ],
        },
      ],
      masks: [{ member: 'people.name', policy: 'names', mask: 'value' }],
      joins: [{ from: 'sales', to: 'people' }],
      row_limit: 500,
      cache: { state: 'off', ttl_ms: null, age_ms: null },
    })
  })

  test('is the same, byte for byte, for another value of the attribute', async () => {
    expect(await explain('east', QUESTION)).toEqual(await explain('west', QUESTION))
  })

  test('holds no value: of an attribute, of a policy, of a mask', async () => {
    const [, text] = await explain('west', QUESTION)
    expect(text).not.toMatch(/West|secret/)
  })

  test.each([
    ['a hidden measure', 'west', { metrics: ['sales.cost'] }],
    ['a metric that needs one', 'west', { metrics: ['margin'] }],
    ['a missing attribute', 'lost', QUESTION],
    ['a cube without a policy for the caller', 'admin', QUESTION],
  ] as const)('%s is the 403 of the question itself', async (_, who, body) => {
    const [status, text] = await explain(who, body)
    expect(status).toBe(403)
    expect(JSON.parse(text)).toEqual({
      error: { code: 'FORBIDDEN', message: 'Insufficient permissions for this resource' },
    })
  })

  test('an unknown member is 400, as for the question', async () => {
    expect((await explain('west', { metrics: ['sales.amuont'] }))[0]).toBe(400)
  })
})

describe('the state of the cache', () => {
  const kept = { metrics: ['days.count'], total_rows: true }
  const stateOf = async (who: Who, body: object): Promise<unknown> => {
    const answer = parsed(await explain(who, body))
    return answer instanceof Object && 'cache' in answer ? answer.cache : undefined
  }
  const ask = async (who: Who, body: object): Promise<void> => {
    await fetch(app.url, {
      method: 'POST',
      headers: { authorization: `Bearer ${who}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  }
  const empty = { state: 'empty', ttl_ms: 600_000, age_ms: null }

  test('tells each caller of their own answers only, all of which must be kept', async () => {
    expect(await stateOf('west', kept)).toEqual(empty)
    await ask('boss', kept)
    await ask('east', kept)
    expect(await stateOf('west', kept)).toEqual(empty)
    await ask('west', { ...kept, total_rows: false })
    expect(await stateOf('west', kept)).toEqual(empty)
    await ask('west', kept)
    const held = { state: 'kept', ttl_ms: 600_000, age_ms: expect.any(Number) }
    expect(await stateOf('west', kept)).toEqual(held)
    expect(await stateOf('west', { ...kept, cache: 'bypass' })).toEqual({
      ...empty,
      state: 'bypassed',
    })
  })

  test('asking for it keeps nothing', async () => {
    const limited = { ...kept, limit: 7 }
    expect(await stateOf('west', limited)).toEqual(empty)
    expect(await stateOf('west', limited)).toEqual(empty)
  })
})

describe('as_user', () => {
  test('says to an admin what applies to somebody else', async () => {
    const answer = parsed(await explain('admin', { ...QUESTION, as_user: 'boss' }))
    expect(answer).toMatchObject({
      decision: 'allowed',
      principal: { id: 'key_boss' },
      cubes: [
        { name: 'sales', policies: [{ name: 'amounts' }, { name: 'all_sales' }] },
        { name: 'people', policies: [{ name: 'own_region' }, { name: 'all_people' }] },
      ],
      masks: [],
      row_limit: null,
    })
  })

  test('says to an admin why it is refused', async () => {
    const answer = parsed(await explain('admin', { metrics: ['margin'], as_user: 'west' }))
    expect(answer).toEqual({
      decision: 'refused',
      principal: { id: 'key_a', kind: expect.any(String), email: null, roles: ['analyst'] },
      revision: 0,
      denial_reason: 'margin is hidden from key_a',
    })
  })

  test('is 403 for everybody else, whoever is named', async () => {
    const own = await explain('west', { metrics: ['sales.cost'] })
    for (const name of ['boss', 'nobody', 'west']) {
      expect(await explain('west', { ...QUESTION, as_user: name })).toEqual(own)
    }
  })

  test('is 404 for a principal that is not there, 400 for what is no name', async () => {
    expect((await explain('admin', { ...QUESTION, as_user: 'nobody' }))[0]).toBe(404)
    expect((await explain('admin', { ...QUESTION, as_user: 7 }))[0]).toBe(400)
  })
})
