import { beforeAll, describe, expect, test } from '@jest/globals'
import { aPrincipal } from '@olytix/auth-guards/testing'
import { AppError } from '@olytix/errors'
import { loadModule } from 'libpg-query'
import { buildProject } from '../project/build-project.js'
import {
  type BuiltTable,
  followRelations,
  type StoredRelation,
  tablesBehind,
} from '../project/follow-relations.js'
import type { Project } from '../project/project.js'
import { planQuery } from '../semantics/plan-query.js'
import type { QueryRequest } from '../semantics/query-request.js'
import { guardPlan } from './guard-plan.js'
import { maskedProject } from './masks.js'
import { changedFooting } from './rule-footing.js'
import { Visibility } from './visibility.js'

beforeAll(() => loadModule())

const SECRET = "select id, pay from {{ source('raw', 'people') }}"
const PUBLIC = "select id, 0 as pay from {{ source('raw', 'towns') }}"
const RULES = `policies: [{name: own, cube: people, roles: [clerk], filter: town = $user.town}]`
const MASKS = `masking: [{name: pay, cube: people, members: [pay], mask: null}]`

interface World {
  /** SQL of models by name. */
  readonly models?: Readonly<Record<string, string>>
  /** What the cube `x` is over. */
  readonly over: string
  readonly rules?: string
  /** Tables of the schema `models` that are declared as a source. */
  readonly declared?: readonly string[]
}

function compile({ models = {}, over, rules = RULES, declared = [] }: World): Project {
  const file = (path: string, text: string) => ({ path, text })
  const kept = declared.map((name) => `{name: ${name}}`).join(', ')
  return buildProject(
    {
      project: file('p.yml', 'name: p'),
      sources: [
        file(
          's.yml',
          `sources:
  - {name: raw, tables: [{name: people}, {name: towns}]}
  - {name: models, tables: [${kept}]}`,
        ),
      ],
      models: Object.entries(models).map(([name, text]) => file(`models/${name}.sql`, text)),
      cubes: [
        file(
          'c.yml',
          `cubes:
  - name: people
    sql_table: raw.people
    dimensions: [{name: id, type: number, primary_key: true}, {name: town, type: string}, {name: pay, type: number}]
  - {name: x, ${over}, dimensions: [{name: id, type: number}, {name: pay, type: number}]}`,
        ),
      ],
      metrics: [],
      policies: [file('r.yml', rules)],
    },
    {},
  )
}

const table = (
  schema: string,
  name: string,
  more: Partial<StoredRelation> = {},
): StoredRelation => ({
  schema,
  table: name,
  kind: 'table',
  columns: ['id', 'pay', 'town'],
  definition: undefined,
  reads: [],
  isBuilt: schema === 'models',
  ...more,
})
const SOURCES = [table('raw', 'people'), table('raw', 'towns')]

/** What runs have recorded: by table, the SELECTs that it was built from. */
type Records = Readonly<Record<string, readonly string[]>>

function builtTables(records: Records): BuiltTable[] {
  return Object.entries(records).map(([table, texts]) => {
    const lineages = texts.flatMap((text) => {
      const { m } = compile({ models: { m: stored(text) }, over: 'model: m' }).models
      return m ? [{ ...m.lineage, tables: m.relation.tables }] : []
    })
    return { schema: 'models', table, lineages }
  })
}

function stored(text: string, kind = 'table'): string {
  return `{{ config(materialized='${kind}') }} ${text}`
}

type Outcome = 'open' | 'closed' | 'masked'

/** What becomes of a question for the column that is, or was, built from the pay of people. */
function outcome(world: World, relations: readonly StoredRelation[], records: Records): Outcome {
  const project = followRelations(compile(world), [...SOURCES, ...relations], builtTables(records))
  const principal = aPrincipal({ roles: ['clerk'], attributes: { town: 'Rome' } })
  const question: QueryRequest = {
    metrics: [],
    dimensions: ['x.pay'],
    filters: [],
    segments: [],
    orderBy: [],
    limit: 10,
    offset: 0,
    timezone: 'UTC',
  }
  try {
    const visibility = new Visibility(project, principal)
    visibility.requireVisible(question)
    const masked = maskedProject(project, principal).project
    const plan = planQuery(masked, question, visibility.vocabulary())
    if (!('facts' in plan)) throw new Error(JSON.stringify(plan))
    return guardPlan(plan, project, principal).maskedMembers.length > 0 ? 'masked' : 'open'
  } catch (error) {
    if (error instanceof AppError && error.code === 'FORBIDDEN') return 'closed'
    throw error
  }
}

const M = table('models', 'm')
const OVER_MODEL = 'model: m'
const OVER_SOURCE = 'sql_table: models.m'

describe('a stored model', () => {
  test.each<[string, World, readonly [StoredRelation[], Records], Outcome]>([
    [
      'over a protected table is closed before it is built',
      { models: { m: stored(SECRET) }, over: OVER_MODEL },
      [[], {}],
      'closed',
    ],
    [
      'over a protected table is closed when it is built',
      { models: { m: stored(SECRET) }, over: OVER_MODEL },
      [[M], { m: [SECRET] }],
      'closed',
    ],
    [
      'over another stored model is closed as that one is',
      {
        models: { m: stored(SECRET), n: stored("select id, pay from {{ ref('m') }}") },
        over: 'model: n',
      },
      [[M, table('models', 'n')], { m: [SECRET], n: [SECRET] }],
      'closed',
    ],
    [
      'over other tables is open before it is built, and then says that it is not',
      { models: { m: stored(PUBLIC) }, over: OVER_MODEL },
      [[], {}],
      'open',
    ],
    [
      'over other tables is open when it is built',
      { models: { m: stored(PUBLIC) }, over: OVER_MODEL },
      [[M], { m: [PUBLIC] }],
      'open',
    ],
    [
      'is closed while its table is that of an older definition',
      { models: { m: stored(PUBLIC) }, over: OVER_MODEL },
      [[M], { m: [SECRET] }],
      'closed',
    ],
    [
      'is closed while rows of an older definition may be among those of a newer one',
      { models: { m: stored(PUBLIC, 'incremental') }, over: OVER_MODEL },
      [[M], { m: [SECRET, PUBLIC] }],
      'closed',
    ],
    [
      'is closed when only the rows that it adds come from a protected table',
      {
        models: {
          m: stored(
            `{% if is_incremental() %} ${SECRET} {% else %} ${PUBLIC} {% endif %}`,
            'incremental',
          ),
        },
        over: OVER_MODEL,
      },
      [[M], { m: [PUBLIC] }],
      'closed',
    ],
    [
      'is closed when nobody knows what its table was built from',
      { models: { m: stored(PUBLIC) }, over: OVER_MODEL },
      [[M], {}],
      'closed',
    ],
    [
      'is closed when a build of its table only counted rows of a protected table',
      { models: { m: stored(PUBLIC) }, over: OVER_MODEL },
      [[M], { m: ["select 1 as id, count(*) as pay from {{ source('raw', 'people') }}"] }],
      'closed',
    ],
    [
      'shows no masked column that only its table has still',
      {
        models: { m: stored(PUBLIC) },
        over: `sql: "select id, old as pay from {{ ref('m') }}"`,
        rules: MASKS,
      },
      [[M], { m: ["select id, pay as old, 0 as pay from {{ source('raw', 'people') }}"] }],
      'closed',
    ],
    [
      'shows no masked column that its table is about to have',
      {
        models: { m: stored("select * from {{ source('raw', 'towns') }}") },
        over: `sql: "select * from {{ ref('m') }}"`,
        rules: MASKS,
      },
      [
        [{ ...M, columns: ['id'] }, table('raw', 'towns', { columns: ['id'] })],
        { m: ["select id, pay from {{ source('raw', 'people') }}"] },
      ],
      'closed',
    ],
    [
      'shows no masked column under another roof',
      { models: { m: stored(SECRET) }, over: OVER_MODEL, rules: MASKS },
      [[M], { m: [SECRET] }],
      'closed',
    ],
  ])('%s', (_, world, [relations, records], expected) => {
    expect(outcome(world, relations, records)).toBe(expected)
  })
})

describe('a table that was built, declared as a source after its model is gone,', () => {
  test.each<[string, StoredRelation[], Records, Outcome]>([
    ['is closed as what it was built from', [M], { m: [SECRET] }, 'closed'],
    ['is open when that is', [M], { m: [PUBLIC] }, 'open'],
    ['is closed when that is not known', [M], {}, 'closed'],
    ['is closed when it is not there', [], {}, 'closed'],
    [
      'is closed behind a view',
      [
        table('models', 'v', {
          kind: 'view',
          definition: 'select id, pay from models.m',
          reads: [{ schema: 'models', table: 'm' }],
        }),
        M,
      ],
      { m: [SECRET] },
      'closed',
    ],
  ])('%s', (_, relations, records, expected) => {
    const [first] = relations
    const over = first?.kind === 'view' ? 'sql_table: models.v' : OVER_SOURCE
    const world = { over, declared: ['m', 'v'] }
    expect(outcome(world, relations, records)).toBe(expected)
  })

  test('hides a masked column too', () => {
    const world = { over: OVER_SOURCE, declared: ['m'], rules: MASKS }
    expect(outcome(world, [M], { m: [SECRET] })).toBe('closed')
    expect(outcome(world, [M], { m: [PUBLIC] })).toBe('open')
  })
})

test('tables behind what was built are asked for, to follow them further', () => {
  expect(tablesBehind(builtTables({ m: [SECRET, PUBLIC] }))).toEqual([
    { schema: 'models', table: 'm' },
    { schema: 'raw', table: 'people' },
    { schema: 'raw', table: 'towns' },
  ])
})

describe('only an admin changes', () => {
  const policed = (sql: string): Project =>
    compile({
      models: { m: sql, n: stored("select id, pay from {{ ref('m') }}") },
      over: 'model: n',
      rules: 'policies: [{name: p, cube: x, roles: [clerk], filter: id = $user.number}]',
    })

  test.each([
    ['how a stored model behind a cube with policies is built', stored(SECRET), stored(PUBLIC)],
    [
      'the rows that are added to one',
      stored(SECRET, 'incremental'),
      stored(`${SECRET} {% if is_incremental() %} where id > 1 {% endif %}`, 'incremental'),
    ],
  ])('%s', (_, before, after) => {
    expect(changedFooting(policed(before), policed(before))).toEqual([])
    expect(changedFooting(policed(before), policed(after))).toEqual(['policy p'])
  })
})
