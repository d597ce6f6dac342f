import { aPrincipal } from '@olytix/auth-guards/testing'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type QueryApp, startQueryApp } from './query-app.js'
import { MASKING_KEY, type SmallProject, startSmallProject } from './small-project.js'

const PRINCIPALS = {
  clerk: aPrincipal({ id: 'key_clerk', roles: ['clerk'] }),
  boss: aPrincipal({ id: 'key_boss', roles: ['boss'] }),
  admin: aPrincipal({ id: 'key_admin', roles: ['admin'], scopes: ['read', 'write', 'admin'] }),
}

let small: SmallProject
let app: QueryApp
beforeAll(async () => {
  small = await startSmallProject({
    setup: `
      create table raw.people (id int primary key, name text);
      insert into raw.people values (1, 'Ann'), (2, 'Bob');`,
    tables: ['people'],
    cubes: `
  - name: people
    sql_table: raw.people
    dimensions:
      - {name: id, type: number, primary_key: true}
      - {name: name, type: string}
      - {name: nickname, type: string, sql: "lower(name)"}
    measures:
      - {name: count, type: count, drill_members: [name, nickname]}
    segments: [{name: anns, sql: "name = 'Ann'"}]`,
    masking: `
  - {name: ids, cube: people, members: [id], except_roles: [boss], mask: hash}
  - {name: names, cube: people, members: [name], except_roles: [boss], mask: partial}`,
  })
  app = await startQueryApp(small, PRINCIPALS)
})
afterAll(async () => {
  await app.close()
  await small.stop()
})

async function send(who: string, path: string, body?: object): Promise<[number, string]> {
  const headers = { authorization: `Bearer ${who}`, 'content-type': 'application/json' }
  const init = body ? { method: 'POST', body: JSON.stringify(body), headers } : { headers }
  const response = await fetch(app.url + path, init)
  return [response.status, await response.text()]
}

test('the statement that an admin is shown holds no key, nor what would do for one', async () => {
  const [status, text] = await send('admin', '/sql', { dimensions: ['people.id'] })
  expect(status).toBe(200)
  const { parameters } = JSON.parse(text) as { parameters: unknown[] }
  expect(parameters.filter((each) => each === '[redacted]')).toHaveLength(2)
  expect(parameters.every((each) => typeof each === 'string')).toBe(true)
  expect(text).not.toContain(MASKING_KEY.reveal())
})

describe('what is behind a mask', () => {
  test('is described as it is seen, without what would read it', async () => {
    const [, text] = await send('clerk', '/meta/cubes/people')
    expect(JSON.parse(text)).toMatchObject({
      dimensions: [
        { name: 'id', type: 'string' },
        { name: 'name', type: 'string' },
      ],
      measures: [{ name: 'count', drill_members: ['people.name'] }],
      segments: [],
    })
    const [, all] = await send('boss', '/meta/cubes/people')
    expect(JSON.parse(all)).toMatchObject({
      dimensions: [{ name: 'id', type: 'number' }, { name: 'name' }, { name: 'nickname' }],
      segments: [{ name: 'anns' }],
    })
  })

  test.each([
    ['', { dimensions: ['people.nickname'] }],
    ['', { metrics: ['people.count'], segments: ['people.anns'] }],
    ['/validate', { dimensions: ['people.nickname'] }],
    ['/validate', { dimensions: ['people.nickname.month'] }],
  ])('%s %j: 403 with the fixed body', async (path, body) => {
    expect(await send('clerk', path, body)).toEqual([
      403,
      '{"error":{"code":"FORBIDDEN","message":"Insufficient permissions for this resource"}}',
    ])
  })

  test('is not among suggestions', async () => {
    const [status, text] = await send('clerk', '', { dimensions: ['people.nicknam'] })
    expect(status).toBe(400)
    expect(text).not.toContain('nickname')
    const [, boss] = await send('boss', '', { dimensions: ['people.nicknam'] })
    expect(boss).toContain('people.nickname')
  })

  test('is masked in every format', async () => {
    const response = await fetch(app.url, {
      method: 'POST',
      headers: {
        authorization: 'Bearer clerk',
        accept: 'text/csv',
        'content-type': 'application/json',
      },
      body: JSON.stringify({ dimensions: ['people.name'] }),
    })
    const text = await response.text()
    expect(text).toContain('A***')
    expect(text).not.toMatch(/Ann|Bob/)
  })
})
