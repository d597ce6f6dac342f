import { beforeAll, describe, expect, test } from '@jest/globals'
import { aPrincipal } from '@olytix/auth-guards/testing'
import { AppError } from '@olytix/errors'
import { loadModule } from 'libpg-query'
import { buildProject } from '../project/build-project.js'
import { followRelations, type StoredRelation } from '../project/follow-relations.js'
import type { Project } from '../project/project.js'
import { planQuery } from '../semantics/plan-query.js'
import type { QueryRequest } from '../semantics/query-request.js'
import { guardPlan } from './guard-plan.js'
import { maskedProject } from './masks.js'
import { changedFooting } from './rule-footing.js'
import { Visibility } from './visibility.js'

beforeAll(() => loadModule())

const PEOPLE = `
  - name: people
    sql_table: raw.people
    dimensions:
      - {name: id, type: number, primary_key: true}
      - {name: name, type: string}
      - {name: town, type: string}
      - {name: phone, type: string}
      - {name: pay, type: number, sql: salary}
    measures: [{name: count, type: count}]`
const VISITS = `
  - name: visits
    sql_table: raw.visits
    dimensions: [{name: id, type: number, primary_key: true}]
    measures: [{name: count, type: count}]
    joins: [{name: people, relationship: many_to_one, sql: "{CUBE}.person_id = {people}.id"}]`
const TOWNS = `
  - {name: towns, sql_table: raw.towns, dimensions: [{name: name, type: string}], measures: [{name: count, type: count}]}`
const RULES = `
policies:
  - {name: own_town, cube: people, roles: [clerk], filter: town = $user.town, exclude_members: [phone]}
  - {name: visits_of_town, cube: visits, roles: [clerk], filter: people.town = $user.town}
masking:
  - {name: names, cube: people, members: [name], mask: partial}
  - {name: pay, cube: people, members: [pay], mask: null}`
const SOURCES = 'sources: [{name: raw, tables: [{name: people}, {name: visits}, {name: towns}]}]'

/** Definitions as somebody with `write` may change them: everything but the rules. */
interface Definitions {
  readonly cubes?: string
  readonly sources?: string
  readonly model?: string
  readonly metrics?: string
  readonly project?: string
}

function build(changed: Definitions = {}): Project {
  const file = (path: string, text: string) => ({ path, text })
  const { cubes = PEOPLE + VISITS + TOWNS, sources = SOURCES, model, metrics } = changed
  const project = buildProject(
    {
      project: file('p.yml', changed.project ?? 'name: p'),
      sources: [file('s.yml', sources)],
      models: model === undefined ? [] : [file('models/other.sql', model)],
      cubes: [file('c.yml', `cubes:${cubes}`)],
      metrics: metrics === undefined ? [] : [file('m.yml', `metrics:${metrics}`)],
      policies: [file('r.yml', RULES)],
    },
    {},
  )
  return followRelations(project, STORED, [])
}

const COLUMNS = {
  people: ['id', 'name', 'town', 'phone', 'salary'],
  visits: ['id', 'person_id'],
  towns: ['name'],
}
const STORED = Object.entries(COLUMNS).map(([table, columns]): StoredRelation => {
  const isPlain = { kind: 'table', definition: undefined, reads: [], isBuilt: false } as const
  return { schema: 'raw', table, columns, ...isPlain }
})

/** What becomes of a change and of the question that it is for. */
function outcome(changed: Definitions, request: Partial<QueryRequest>): string {
  let project: Project
  try {
    project = build(changed)
  } catch (error) {
    if (error instanceof AppError && error.code === 'INVALID_PROJECT') return 'refused'
    throw error
  }
  const forAdmins = changedFooting(build(), project)
  if (forAdmins.length > 0) return `for admins: ${forAdmins.join(', ')}`
  return answer(project, request)
}

function answer(project: Project, request: Partial<QueryRequest>): string {
  const principal = aPrincipal({ roles: ['clerk'], attributes: { town: 'Ulm' } })
  const question: QueryRequest = {
    metrics: [],
    dimensions: [],
    filters: [],
    segments: [],
    orderBy: [],
    limit: 10,
    offset: 0,
    timezone: 'UTC',
    ...request,
  }
  try {
    const visibility = new Visibility(project, principal)
    visibility.requireVisible(question)
    const plan = planQuery(
      maskedProject(project, principal).project,
      question,
      visibility.vocabulary(),
    )
    if (!('facts' in plan)) return JSON.stringify(plan)
    const { maskedMembers } = guardPlan(plan, project, principal)
    return maskedMembers.length > 0 ? `masked: ${maskedMembers.join(', ')}` : 'open'
  } catch (error) {
    if (error instanceof AppError && error.code === 'FORBIDDEN') return 'closed'
    throw error
  }
}

const withMember = (kind: string, member: string): string => {
  const own = kind === 'measures' ? '{name: count, type: count}, ' : ''
  return kind === 'dimensions'
    ? PEOPLE.replace('    measures:', `      - ${member}\n    measures:`)
    : PEOPLE.replace(/\n {4}measures: .*/, '') +
        (kind === 'measures' ? '' : '\n    measures: [{name: count, type: count}]') +
        `\n    ${kind}: [${own}${member}]`
}
const people = (text: string): Definitions => ({ cubes: text + VISITS + TOWNS })
const another = (text: string): Definitions => ({
  cubes: PEOPLE + VISITS + TOWNS + `\n  - ${text}`,
})
const NAME = '{name: x, type: string}'

test('definitions that stay as they are change nothing', () => {
  expect(changedFooting(build(), build())).toEqual([])
  expect(answer(build(), { dimensions: ['people.town'] })).toBe('open')
  expect(answer(build(), { dimensions: ['people.name'] })).toBe('masked: people.name')
  expect(answer(build(), { dimensions: ['people.phone'] })).toBe('closed')
})

describe('who may write definitions does not widen what anybody sees', () => {
  test.each<[string, Definitions, Partial<QueryRequest>, string]>([
    [
      'a cube over the table',
      another(`{name: x, sql_table: raw.people, dimensions: [{name: town, type: string}]}`),
      { dimensions: ['x.town'] },
      'closed',
    ],
    [
      'a cube over a SELECT of it',
      another(`{name: x, sql: select * from raw.people, dimensions: [{name: town, type: string}]}`),
      { dimensions: ['x.town'] },
      'closed',
    ],
    [
      'a cube that only looks whether rows are there',
      another(
        `{name: x, sql: "select 1 as x where exists (select 1 from raw.people)", dimensions: [{name: x, type: number}]}`,
      ),
      { dimensions: ['x.x'] },
      'closed',
    ],
    [
      'a cube that joins it',
      another(
        `{name: x, sql: "select p.name as x from raw.towns as t join raw.people as p on p.town = t.name", dimensions: [${NAME}]}`,
      ),
      { dimensions: ['x.x'] },
      'closed',
    ],
    [
      'a model of it',
      {
        ...another(`{name: x, model: other, dimensions: [${NAME}]}`),
        model:
          "with a as (select name as x from {{ source('raw', 'people') }}) select x from a union all select 'y'",
      },
      { dimensions: ['x.x'] },
      'closed',
    ],
    [
      'another source of the same table',
      {
        ...another(`{name: x, sql_table: again.people, dimensions: [${NAME}]}`),
        sources: SOURCES.replace(/\]$/, ', {name: again, schema: raw, tables: [{name: people}]}]'),
      },
      { dimensions: ['x.x'] },
      'closed',
    ],
    [
      'a source of the server',
      {
        sources: SOURCES.replace(
          /\]$/,
          ', {name: s, schema: pg_catalog, tables: [{name: pg_stats}]}]',
        ),
      },
      {},
      'refused',
    ],
    [
      'a declared column that is a function of the row',
      {
        sources: SOURCES.replace(
          '{name: people}',
          '{name: people, columns: [{name: id}, {name: name}, {name: town}, {name: phone}, {name: salary}, {name: to_jsonb}]}',
        ),
      },
      {},
      'refused',
    ],
    [
      'a time spine over the table',
      {
        project: 'name: p\ntime_spines: [{granularity: day, sql_table: raw.people, column: born}]',
      },
      {},
      'refused',
    ],
    [
      'the policed cube over another table',
      people(PEOPLE.replace('raw.people', 'raw.towns')),
      {},
      'for admins: mask names, mask pay, policy own_town, policy visits_of_town',
    ],
    [
      'the policed cube over a SELECT',
      people(
        PEOPLE.replace(
          'sql_table: raw.people',
          `sql: "select id, name, phone, salary, 'Ulm' as town from raw.people"`,
        ),
      ),
      {},
      'for admins: mask names, mask pay, policy own_town, policy visits_of_town',
    ],
    [
      'what the policy compares',
      people(
        PEOPLE.replace('{name: town, type: string}', `{name: town, type: string, sql: "'Ulm'"}`),
      ),
      {},
      'for admins: policy own_town, policy visits_of_town',
    ],
    [
      'what the policy excludes',
      people(PEOPLE.replace('{name: phone, type: string}', '{name: phone, type: string, sql: id}')),
      {},
      'for admins: policy own_town',
    ],
    [
      'what is masked',
      people(PEOPLE.replace('sql: salary', 'sql: id')),
      {},
      'for admins: mask pay',
    ],
    [
      'the join that a policy follows',
      {
        cubes: PEOPLE + VISITS.replace('{CUBE}.person_id = {people}.id', '1 = {people}.id') + TOWNS,
      },
      {},
      'for admins: join visits.people, policy visits_of_town',
    ],
    [
      'a join by what is masked',
      another(
        `{name: x, sql_table: raw.towns, dimensions: [{name: n, type: number}], joins: [{name: people, relationship: many_to_one, sql: "{CUBE}.n = {people}.salary"}]}`,
      ),
      {},
      'for admins: join x.people',
    ],
    [
      'a join by what is excluded',
      people(
        `${PEOPLE}\n    joins: [{name: towns, relationship: many_to_one, sql: "{CUBE}.phone = {towns}.name"}]`,
      ),
      {},
      'for admins: join people.towns',
    ],
    [
      'a partition beside the join',
      {
        cubes:
          PEOPLE.replace(
            '{name: town, type: string}',
            '{name: town, type: string, partition: true}',
          ) +
          VISITS +
          TOWNS,
      },
      {},
      'for admins: policy visits_of_town',
    ],
    ['no cube any more', { cubes: VISITS + TOWNS }, {}, 'refused'],
    [
      'the cube under another name',
      people(PEOPLE.replace('name: people', 'name: folk')),
      {},
      'refused',
    ],
    [
      'a dimension over a masked column',
      people(withMember('dimensions', '{name: x, type: string, sql: lower(name)}')),
      { dimensions: ['people.x'] },
      'closed',
    ],
    [
      'a dimension over a masked dimension',
      people(withMember('dimensions', `{name: x, type: string, sql: "{name} || 'x'"}`)),
      { dimensions: ['people.x'] },
      'closed',
    ],
    [
      'a dimension over an excluded column',
      people(withMember('dimensions', '{name: x, type: string, sql: "{CUBE}.phone"}')),
      { dimensions: ['people.x'] },
      'closed',
    ],
    [
      'a segment over a masked column',
      people(withMember('segments', '{name: x, sql: salary > 5}')),
      { metrics: ['people.count'], segments: ['people.x'] },
      'closed',
    ],
    [
      'a measure over a masked column',
      people(withMember('measures', '{name: x, type: max, sql: salary}')),
      { metrics: ['people.x'] },
      'masked: people.x',
    ],
    [
      'a measure that is filtered by one',
      people(withMember('measures', '{name: x, type: count, filters: [{sql: salary > 5}]}')),
      { metrics: ['people.x'] },
      'masked: people.x',
    ],
    [
      'a measure over an excluded column',
      people(withMember('measures', '{name: x, type: count_distinct, sql: phone}')),
      { metrics: ['people.x'] },
      'closed',
    ],
    [
      'a measure of such a measure',
      people(
        withMember(
          'measures',
          '{name: x, type: count_distinct, sql: phone}, {name: y, type: number, sql: "{x} + 1"}',
        ),
      ),
      { metrics: ['people.y'] },
      'closed',
    ],
    [
      'a metric of such a measure',
      {
        ...people(withMember('measures', '{name: x, type: count_distinct, sql: phone}')),
        metrics: '\n  - {name: y, type: simple, expression: people.x}',
      },
      { metrics: ['y'] },
      'closed',
    ],
    [
      'a metric that is filtered by what is excluded',
      {
        metrics:
          '\n  - {name: y, type: simple, expression: people.count, filters: [{dimension: people.phone, operator: set}]}',
      },
      { metrics: ['y'] },
      'closed',
    ],
    [
      'the whole row',
      people(withMember('dimensions', '{name: x, type: string, sql: "{CUBE}.to_jsonb"}')),
      {},
      'refused',
    ],
    [
      'SQL inside SQL',
      another(
        `{name: x, sql: "select query_to_xml('select * from raw.people', true, true, '') as x", dimensions: [${NAME}]}`,
      ),
      {},
      'refused',
    ],
    [
      'who is asking',
      another(
        `{name: x, sql: "select set_config('olytix.user_id', 'x', true) as x", dimensions: [${NAME}]}`,
      ),
      {},
      'refused',
    ],
    [
      'another cube, which is open',
      another(`{name: x, sql: select name as x from raw.towns, dimensions: [${NAME}]}`),
      { dimensions: ['x.x'] },
      'open',
    ],
  ])('%s', (_, changed, request, expected) => {
    expect(outcome(changed, request)).toBe(expected)
  })
})
