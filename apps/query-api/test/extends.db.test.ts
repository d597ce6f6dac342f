import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { aPrincipal } from '@olytix/auth-guards/testing'
import { buildProject } from '../src/project/build-project.js'
import type { Project } from '../src/project/project.js'
import { changedFooting } from '../src/rls/rule-footing.js'
import { type SmallProject, startSmallProject } from './small-project.js'

const PEOPLE = `
  - name: people
    sql_table: raw.people
    dimensions:
      - {name: id, type: number, primary_key: true}
      - {name: name, type: string}
      - {name: town, type: string}
      - {name: pay, type: number, sql: salary}
    measures: [{name: count, type: count}]
    segments: [{name: rich, sql: salary > 50}]`
/** Reads what policies protect in no other way than over the cube that it extends. */
const HEIRS = `
  - {name: folk, extends: people}
  - {name: someone, extends: people, dimensions: [{name: town, type: string, sql: "'Ulm'"}]}
  - {name: copy, extends: people, sql: "select * from raw.people"}
  - {name: again, extends: folk, dimensions: [{name: x, type: string, sql: name}]}
  - {name: elsewhere, extends: people, sql_table: raw.guests}
  - {name: staff, extends: people}`
const POLICIES = `
  - {name: own_town, cube: people, roles: [clerk], filter: town = $user.town}
  - {name: own_staff, cube: staff, roles: [clerk], filter: town = $user.town}`
const MASKS = `
  - {name: names, cube: people, members: [name], except_roles: [boss], mask: partial}
  - {name: pay, cube: people, members: [pay], except_roles: [boss], mask: null}`

const TOWN = `{name: town, type: string, sql: "'Ulm'"}`

const SETUP = `
  create table raw.people (id int, name text, town text, salary int);
  insert into raw.people values (1, 'Ann', 'Ulm', 10), (2, 'Bob', 'Bonn', 90);
  create table raw.guests (id int, name text, town text, salary int);
  insert into raw.guests values (3, 'Cid', 'Rom', 60);`

const clerk = aPrincipal({ roles: ['clerk'], attributes: { town: 'Ulm' } })
const started: SmallProject[] = []
const start = async (rules: { policies?: string; masking?: string }): Promise<SmallProject> => {
  const small = await startSmallProject({
    setup: SETUP,
    tables: ['people', 'guests'],
    cubes: PEOPLE + HEIRS,
    ...rules,
  })
  started.push(small)
  return small
}
afterAll(async () => {
  for (const each of started) await each.stop()
})

test('answers are those of the cube that is extended, but for what is defined anew', async () => {
  const small = await start({})
  expect(await small.ask({ metrics: ['folk.count'], dimensions: ['folk.town'] })).toEqual([
    { 'folk.town': 'Bonn', 'folk.count': 1 },
    { 'folk.town': 'Ulm', 'folk.count': 1 },
  ])
  expect(await small.ask({ metrics: ['someone.count'], dimensions: ['someone.town'] })).toEqual([
    { 'someone.town': 'Ulm', 'someone.count': 2 },
  ])
  expect(await small.ask({ dimensions: ['elsewhere.name'], segments: ['elsewhere.rich'] })).toEqual(
    [{ 'elsewhere.name': 'Cid' }],
  )
})

describe('policies do not vanish where a cube is extended', () => {
  let small: SmallProject
  beforeAll(async () => {
    small = await start({ policies: POLICIES, masking: MASKS })
  })

  test.each(['folk', 'someone', 'copy', 'again'])('%s is closed to everybody', async (cube) => {
    for (const who of [clerk, aPrincipal({ roles: ['clerk', 'boss', 'admin'] })]) {
      for (const body of [{ metrics: [`${cube}.count`] }, { dimensions: [`${cube}.town`] }]) {
        await expect(small.ask(body, who)).rejects.toMatchObject({ code: 'FORBIDDEN' })
      }
    }
  })

  test('a policy of its own opens an heir, to the rows of that policy', async () => {
    expect(await small.ask({ dimensions: ['staff.id', 'staff.town'] }, clerk)).toEqual([
      { 'staff.id': 1, 'staff.town': 'Ulm' },
    ])
  })

  test('what the other cube masks is closed in the heir, under any name and as a segment', async () => {
    const closed = [
      { dimensions: ['staff.name'] },
      { dimensions: ['staff.pay'] },
      { metrics: ['staff.count'], segments: ['staff.rich'] },
      { metrics: ['staff.count'], filters: [{ dimension: 'staff.pay', operator: 'gt', value: 5 }] },
    ]
    for (const body of closed) {
      await expect(small.ask(body, clerk)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    }
  })

  test('an heir over another table is as open as that table', async () => {
    expect(await small.ask({ dimensions: ['elsewhere.name'] }, clerk)).toEqual([
      { 'elsewhere.name': 'Cid' },
    ])
  })
})

describe('only an admin may change what a policy of an heir stands on', () => {
  test.each([
    ['in the cube that is extended', PEOPLE.replace('{name: town, type: string}', TOWN), HEIRS],
    [
      'in the heir',
      PEOPLE,
      HEIRS.replace(
        '{name: staff, extends: people}',
        `{name: staff, extends: people, dimensions: [${TOWN}]}`,
      ),
    ],
    [
      'by another one to extend',
      PEOPLE,
      HEIRS.replace('{name: staff, extends: people}', '{name: staff, extends: someone}'),
    ],
    [
      'by another relation',
      PEOPLE,
      HEIRS.replace('{name: staff, extends: people}', '{name: staff, extends: elsewhere}'),
    ],
    [
      'by a template that it is moved into',
      `${PEOPLE}\n  - {name: base, public: false, dimensions: [${TOWN}]}`,
      HEIRS.replace(
        '{name: staff, extends: people}',
        '{name: staff, extends: base, sql_table: raw.people}',
      ),
    ],
  ])('%s', (_, people, heirs) => {
    const before = compiled(PEOPLE + HEIRS)
    expect(changedFooting(before, compiled(people + heirs))).toContain('policy own_staff')
  })

  test('and no admin is needed for what changes nothing', () => {
    const moved = PEOPLE.replace('name: people', 'name: base\n    public: false')
    const after = compiled(`${moved}\n  - {name: people, extends: base}${HEIRS}`)
    expect(changedFooting(compiled(PEOPLE + HEIRS), after)).toEqual([])
  })
})

function compiled(cubes: string): Project {
  const file = (path: string, text: string) => ({ path, text })
  return buildProject(
    {
      project: file('p.yml', 'name: p'),
      sources: [file('s.yml', 'sources: [{name: raw, tables: [{name: people}, {name: guests}]}]')],
      models: [],
      cubes: [file('c.yml', `cubes:${cubes}`)],
      metrics: [],
      policies: [file('r.yml', `policies:${POLICIES}`)],
    },
    {},
  )
}
