import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { aPrincipal } from '@olytix/auth-guards/testing'
import { parseQuestion } from '../src/http/query.schemas.js'
import { planQuestion } from '../src/query/plan-question.js'
import { guardPlan } from '../src/rls/guard-plan.js'
import { Visibility } from '../src/rls/visibility.js'
import { planQuery } from '../src/semantics/plan-query.js'
import { MASKING_KEY, type SmallProject, startSmallProject } from './small-project.js'

const CUBES = `
  - name: people
    sql_table: raw.people
    dimensions:
      - {name: id, type: number, primary_key: true}
      - {name: name, type: string}
      - {name: email, type: string}
      - {name: town, type: string}
      - {name: salary, type: number}
      - {name: born, type: time}
      - {name: is_boss, type: boolean}
      - {name: nick, type: string, sql: "lower(name)"}
      - {name: initial, type: string, sql: "left(name, 1)"}
    measures:
      - {name: count, type: count}
      - {name: payroll, type: sum, sql: salary}
      - {name: mean_pay, type: number, sql: "{payroll} / {count}"}
      - {name: names, type: count_distinct, sql: name}
      - {name: anns, type: count, filters: [{sql: "name = 'Ann'"}]}
      - {name: oldest, type: min, sql: born}
    segments:
      - {name: rich, sql: salary > 50}
  - name: visits
    sql_table: raw.visits
    dimensions: [{name: id, type: number, primary_key: true}, {name: place, type: string}]
    measures: [{name: count, type: count}]
    joins: [{name: people, relationship: many_to_one, sql: "{CUBE}.person_id = {people}.id"}]
  - name: people_again
    sql: select id, name as label, town from raw.people
    dimensions: [{name: label, type: string}, {name: town, type: string}]
    measures: [{name: count, type: count}]
  - name: staff
    sql_table: raw.staff
    dimensions:
      - {name: id, type: number, primary_key: true}
      - {name: grade, type: string}
      - {name: room, type: string, sql: "number::int::text"}
      - {name: slow, type: string, sql: "${'upper(lower('.repeat(9)}grade${'))'.repeat(9)}"}
    measures: [{name: count, type: count}]
  - name: anns
    sql: select town from raw.people where name = 'Ann'
    dimensions: [{name: town, type: string}]
    measures: [{name: count, type: count}]
`
const POLICIES = `
  - {name: own_grade, cube: staff, roles: [clerk], filter: slow = $user.grade}`
const MASKING = `
  - {name: hide_id, cube: people, members: [id], except_roles: [boss], mask: {value: 0}}
  - {name: hide_names, cube: people, members: [people.name], except_roles: [boss], mask: partial}
  - {name: hide_pay, cube: people, members: [salary], except_roles: [boss], mask: null}
  - {name: hide_email, cube: people, members: [email], except_roles: [boss], mask: hash}
  - {name: hide_birth, cube: people, members: [born], except_roles: [boss], mask: {value: 2000-01-01}}
  - {name: hide_bosses, cube: people, members: [is_boss], except_roles: [boss], mask: partial}
  - {name: hide_grade, cube: staff, members: [grade], except_roles: [boss], mask: {value: hidden}}
  - {name: slow_is_open, cube: staff, members: [slow], mask: none}
  - {name: hide_rooms, cube: staff, members: [room], except_roles: [boss], mask: partial}
  - {name: initials_are_open, cube: people, members: [initial], mask: none}
`

let small: SmallProject
beforeAll(async () => {
  small = await startSmallProject({
    setup: `
      create table raw.people (id int primary key, name text, email text, town text, salary int, born date, is_boss boolean);
      insert into raw.people values
        (1, 'Ann', 'ann@x.org', 'Ulm', 10, '1970-05-05', true), (2, 'Abe', 'abe@x.org', 'Ulm', 90, '1990-01-01', false),
        (3, 'Bob', null, 'Bonn', 60, null, false);
      create table raw.staff (id int primary key, grade text, number text);
      insert into raw.staff values (1, 'A', '17'), (2, 'A', '18'), (3, 'B', 'no number');
      create table raw.visits (id int primary key, place text, person_id int);
      insert into raw.visits values (1, 'a', 1), (2, 'a', 2), (3, 'b', 9);`,
    tables: ['people', 'visits', 'staff'],
    cubes: CUBES,
    policies: POLICIES,
    masking: MASKING,
  })
})
afterAll(() => small.stop())

const clerk = aPrincipal({ roles: ['clerk'] })
const boss = aPrincipal({ roles: ['boss'] })
const ask = (body: object, who = clerk) => small.ask(body, who)
const values = async (dimension: string, who = clerk): Promise<unknown[]> =>
  (await ask({ dimensions: [dimension] }, who)).map((row) => row[dimension])
const hashOf = (text: string): string =>
  createHmac('sha256', MASKING_KEY.reveal()).update(text).digest('hex')

describe('a masked dimension is selected and grouped by its mask', () => {
  test.each<[string, unknown[]]>([
    ['people.name', ['A***', 'B***']],
    ['people.salary', [null]],
    ['people.email', [hashOf('abe@x.org'), hashOf('ann@x.org'), null].sort(nullsLast)],
    ['people.born', ['2000-01-01T00:00:00']],
    ['people.born.year', ['2000']],
    ['people.is_boss', [null]],
    ['people.id', [0]],
    ['people.initial', ['A', 'B']],
  ])('%s', async (dimension, expected) => {
    expect(await values(dimension)).toEqual(expected)
  })

  test('roles that are exempt see the values', async () => {
    expect(await values('people.name', boss)).toEqual(['Abe', 'Ann', 'Bob'])
    expect(await ask({ metrics: ['people.payroll'] }, boss)).toEqual([{ 'people.payroll': 160 }])
    expect(await values('people_again.label', boss)).toEqual(['Abe', 'Ann', 'Bob'])
  })
})

describe('nothing but the mask is compared', () => {
  const count = async (more: object): Promise<unknown> =>
    (await ask({ metrics: ['people.count'], ...more }))[0]?.['people.count']
  const filter = (dimension: string, operator: string, value?: unknown) => ({
    filters: [{ dimension, operator, ...(value === undefined ? {} : { value }) }],
  })

  test.each([
    [filter('people.name', 'equals', 'Ann'), 0],
    [filter('people.name', 'startsWith', 'An'), 0],
    [filter('people.name', 'equals', 'A***'), 2],
    [filter('people.name', 'gt', 'Abe'), 1],
    [filter('people.salary', 'gte', 1), 0],
    [filter('people.salary', 'notEquals', 10), 3],
    [filter('people.salary', 'set'), 0],
    [filter('people.born', 'equals', '1970-05-05'), 0],
    [filter('people.born', 'equals', '2000-01-01'), 3],
    [{ time_range: { dimension: 'people.born', start: '1960-01-01', end: '1980-01-01' } }, 0],
    [filter('people.email', 'equals', 'ann@x.org'), 0],
    [filter('people.email', 'equals', hashOf('ann@x.org')), 1],
  ])('%j counts %d', async (more, expected) => {
    expect(await count(more)).toBe(expected)
  })

  test('rows are ordered by the mask, also when it is not selected', async () => {
    const order = [{ field: 'people.salary', direction: 'desc' }]
    const rows = await ask({ dimensions: ['people.town'], order_by: order })
    expect(rows).toEqual([{ 'people.town': 'Bonn' }, { 'people.town': 'Ulm' }])
  })
})

describe('an aggregate over a masked member is the fixed mask', () => {
  test.each<[string, unknown]>([
    ['people.payroll', null],
    ['people.mean_pay', null],
    ['people.names', null],
    ['people.anns', null],
    ['people.oldest', '2000-01-01T00:00:00'],
    ['people.count', 3],
  ])('%s', async (metric, expected) => {
    expect(await ask({ metrics: [metric] })).toEqual([{ [metric]: expected }])
    const groups = await ask({ metrics: [metric], dimensions: ['people.name'] })
    expect(groups).toHaveLength(2)
  })

  test('a filter on its groups compares the mask', async () => {
    const filters = [{ metric: 'people.payroll', operator: 'gt', value: 50 }]
    expect(
      await ask({ dimensions: ['people.town'], metrics: ['people.payroll'], filters }),
    ).toEqual([])
  })
})

describe('a join', () => {
  test('uses a masked key, and what has no partner has no mask either', async () => {
    const rows = await ask({ metrics: ['visits.count'], dimensions: ['people.id', 'people.town'] })
    expect(rows).toEqual([
      { 'people.id': 0, 'people.town': 'Ulm', 'visits.count': 2 },
      { 'people.id': null, 'people.town': null, 'visits.count': 1 },
    ])
  })

  test('shows the masks of the cube that it leads to', async () => {
    const rows = await ask({ metrics: ['visits.count'], dimensions: ['visits.people.name'] })
    expect(rows).toEqual([
      { 'visits.people.name': 'A***', 'visits.count': 2 },
      { 'visits.people.name': null, 'visits.count': 1 },
    ])
  })
})

describe('what reads a masked column and has no masking policy of its own is closed', () => {
  test.each([
    { dimensions: ['people.nick'] },
    { metrics: ['people.count'], filters: [{ dimension: 'people.nick', operator: 'set' }] },
    { metrics: ['people.count'], order_by: [{ field: 'people.nick', direction: 'asc' }] },
    { metrics: ['people.count'], segments: ['people.rich'] },
    { dimensions: ['people_again.label'] },
    { metrics: ['anns.count'] },
  ])('%j', async (body) => {
    await expect(ask(body)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(ask(body, boss)).resolves.toBeDefined()
  })

  test('other members of such a cube stay open', async () => {
    expect(await values('people_again.town')).toEqual(['Bonn', 'Ulm'])
  })
})

describe('a row policy on a masked member', () => {
  const graded = aPrincipal({ roles: ['clerk'], attributes: { grade: 'A' } })

  test('compares the value, while the principal sees the mask', async () => {
    const body = { metrics: ['staff.count'], dimensions: ['staff.grade'] }
    expect(await ask(body, graded)).toEqual([{ 'staff.grade': 'hidden', 'staff.count': 2 }])
  })

  // Unfenced, PostgreSQL takes the cheaper of two conditions first: the one on the mask.
  test('keeps the mask off hidden rows, whose values it could not be made of', async () => {
    const filters = [{ dimension: 'staff.room', operator: 'equals', value: '1***' }]
    const body = { metrics: ['staff.count'], filters }
    expect(await ask(body, graded)).toEqual([{ 'staff.count': 2 }])
  })

  test('is told of beside the masks', () => {
    const question = parseQuestion({ dimensions: ['staff.room', 'staff.id'] })
    expect(planQuestion(small.project, graded, question).plan).toMatchObject({
      policies: ['own_grade'],
      maskingPolicies: ['hide_rooms'],
      maskedMembers: ['staff.room'],
    })
  })
})

test('a plan that was made without the masks is refused', () => {
  const question = parseQuestion({ dimensions: ['people.name'] })
  const plan = planQuery(small.project, question, new Visibility(small.project, clerk).vocabulary())
  if (!('facts' in plan)) throw new Error('the question is well-formed')
  expect(() => guardPlan(plan, small.project, clerk)).toThrow('planned without the masks')
  expect(() => guardPlan(plan, small.project, boss)).not.toThrow()
})

function nullsLast(a: string | null, b: string | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1
  return a < b ? -1 : 1
}
