import { beforeAll, describe, expect, test } from '@jest/globals'
import { AppError, type ErrorDetail } from '@olytix/errors'
import { loadModule } from 'libpg-query'
import { buildProject } from './build-project.js'
import { readProjectFile, warehouseUrlOf } from './project-file.js'
import type { Project } from './project.js'

beforeAll(() => loadModule())

const PROJECT = 'name: shop\nwarehouse: {type: postgres}\n'
const SOURCES = `sources:
  - name: raw
    tables:
      - name: orders
        columns: [{name: id}, {name: region}, {name: amount}, {name: made_at}, {name: customer_id}]
      - name: anything
`
const CUBES = `cubes:
  - name: orders
    sql_table: raw.orders
    measures:
      - {name: revenue, type: sum, sql: amount}
    dimensions:
      - {name: region, type: string}
      - {name: made_at, type: time}
`

type Texts = Readonly<Record<string, string>>

/** A working project with some files replaced or added. */
function build(texts: Texts = {}, environment: Record<string, string> = {}): Project {
  const files = { 'p.yml': PROJECT, 'sources/s.yml': SOURCES, 'cubes/c.yml': CUBES, ...texts }
  const below = (folder: string) =>
    Object.entries(files).flatMap(([path, text]) =>
      path.startsWith(folder) ? [{ path, text }] : [],
    )
  return buildProject(
    {
      project: { path: 'p.yml', text: files['p.yml'] },
      sources: below('sources/'),
      models: below('models/'),
      cubes: below('cubes/'),
      metrics: below('metrics/'),
      policies: below('policies/'),
    },
    environment,
  )
}

function problemsOf(texts: Texts): readonly ErrorDetail[] {
  try {
    build(texts)
  } catch (error) {
    if (error instanceof AppError && error.code === 'INVALID_PROJECT') return error.details ?? []
    throw error
  }
  return []
}

/** `file:line:column message (suggestion)` */
function written({ path, line, column, message, suggestion }: ErrorDetail): string {
  const near = suggestion === undefined ? '' : ` (${suggestion})`
  return `${path}:${String(line)}:${String(column)} ${message}${near}`
}

describe('a broken project names the place of each problem and what was expected', () => {
  const cube = (member: string) => `cubes:
  - name: orders
    sql_table: raw.orders
${member}
`
  const measure = (sql: string) => cube(`    measures:\n      - {name: m, type: sum, sql: ${sql}}`)

  const CASES: readonly [string, Texts, string][] = [
    [
      'YAML',
      { 'p.yml': 'name: [' },
      'p.yml:1:8 Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    ['twice the same key', { 'p.yml': 'name: a\nname: b\n' }, 'p.yml:2:1 Map keys must be unique'],
    [
      'unknown key',
      { 'p.yml': 'name: a\nverson: 1\n' },
      'p.yml:2:1 verson: unknown key "verson"; known are name, version, description, warehouse, models, vars, time_spines, security (version)',
    ],
    ['missing key', { 'p.yml': 'version: 1\n' }, 'p.yml:1:1 name: missing; expected string'],
    [
      'wrong warehouse',
      { 'p.yml': 'name: a\nwarehouse: {type: mysql}\n' },
      'p.yml:2:19 warehouse.type: unknown "mysql"; expected one of postgres',
    ],
    [
      'unset variable',
      { 'p.yml': 'name: a\nwarehouse:\n  type: postgres\n  url: ${NOWHERE}\n' },
      'p.yml:4:8 the environment variable NOWHERE is not set',
    ],
    [
      'type',
      { 'cubes/c.yml': cube('    measures:\n      - {name: m, type: summ, sql: amount}') },
      'cubes/c.yml:5:25 cubes[0].measures[0].type: unknown "summ"; expected one of count, count_distinct, sum, avg, min, max, median, percentile, sum_boolean, number (sum)',
    ],
    [
      'name',
      { 'cubes/c.yml': cube('    dimensions:\n      - {name: "a b", type: string}') },
      'cubes/c.yml:5:16 cubes[0].dimensions[0].name: expected a name of letters, digits and _, at most 63 long',
    ],
    [
      'table',
      { 'cubes/c.yml': 'cubes:\n  - name: o\n    sql_table: raw.order\n' },
      'cubes/c.yml:3:16 "raw.order" is no declared table; declare it under sources/ (raw.orders)',
    ],
    [
      'two relations',
      { 'cubes/c.yml': 'cubes:\n  - {name: o, sql_table: raw.orders, sql: select 1}\n' },
      'cubes/c.yml:2:12 a cube needs exactly one of sql, sql_table and model',
    ],
    [
      'cube twice',
      { 'cubes/d.yml': 'cubes:\n  - {name: orders, sql_table: raw.orders}\n' },
      'cubes/d.yml:2:12 cube "orders" is defined in cubes/c.yml:2',
    ],
    [
      'member twice',
      {
        'cubes/c.yml': cube(
          '    dimensions:\n      - {name: region, type: string}\n      - {name: region, type: string}',
        ),
      },
      'cubes/c.yml:6:16 member "region" is defined in cubes/c.yml:5',
    ],
    [
      'column',
      { 'cubes/c.yml': measure('amuont * 2') },
      'cubes/c.yml:5:35 unknown column "amuont" (amount)',
    ],
    [
      'column without sql',
      { 'cubes/c.yml': cube('    dimensions:\n      - {name: regoin, type: string}') },
      'cubes/c.yml:5:16 unknown column "regoin" (region)',
    ],
    [
      'SQL',
      { 'cubes/c.yml': measure('amount +') },
      'cubes/c.yml:5:43 not valid SQL: syntax error at or near ")"',
    ],
    [
      'two expressions',
      { 'cubes/c.yml': measure('"amount, id"') },
      'cubes/c.yml:5:35 a list of values is not allowed here',
    ],
    [
      'the rest of a statement',
      { 'cubes/c.yml': measure('"(amount) from secrets --"') },
      'cubes/c.yml:5:35 not valid SQL: syntax error at or near "from"',
    ],
    [
      'function',
      { 'cubes/c.yml': measure('pg_sleep(amount)') },
      'cubes/c.yml:5:35 function "pg_sleep" is not allowed here',
    ],
    [
      'near function',
      { 'cubes/c.yml': measure('rond(amount)') },
      'cubes/c.yml:5:35 function "rond" is not allowed here (round)',
    ],
    [
      'sub-query',
      { 'cubes/c.yml': measure('(select 1)') },
      'cubes/c.yml:5:35 a sub-query is not allowed here',
    ],
    [
      'join to nowhere',
      {
        'cubes/c.yml': cube(
          '    joins:\n      - {name: custmers, relationship: many_to_one, sql: "{CUBE}.id = {custmers}.id"}',
        ),
      },
      'cubes/c.yml:5:16 unknown cube "custmers"',
    ],
    [
      'other side of a join',
      {
        'cubes/c.yml': CUBES.replace(
          '    measures',
          '    joins:\n      - {name: orders, relationship: one_to_one, sql: "{CUBE}.id = {ordres}.id"}\n    measures',
        ),
      },
      'cubes/c.yml:5:55 unknown cube {ordres}; expected {CUBE} or {orders} (orders)',
    ],
    [
      'circle of dimensions',
      {
        'cubes/c.yml': cube(
          '    dimensions:\n      - {name: a, type: string, sql: "{b}"}\n      - {name: b, type: string, sql: "{a}"}',
        ),
      },
      'cubes/c.yml:5:38 dimension {a} would refer to itself',
    ],
    [
      'circle of measures',
      { 'cubes/c.yml': cube('    measures:\n      - {name: a, type: number, sql: "{a} + 1"}') },
      'cubes/c.yml:5:38 measure "a" would refer to itself',
    ],
    [
      'measure without sql',
      { 'cubes/c.yml': cube('    measures:\n      - {name: a, type: sum}') },
      'cubes/c.yml:5:16 a measure of type sum needs sql',
    ],
    [
      'two primary times',
      {
        'cubes/c.yml': cube(
          '    dimensions:\n      - {name: made_at, type: time, primary_time: true}\n      - {name: id, type: time, primary_time: true}',
        ),
      },
      'cubes/c.yml:6:46 a cube has one primary time',
    ],
    [
      'metric',
      { 'metrics/m.yml': 'metrics:\n  - {name: m, type: simple, expression: orders.revenu}\n' },
      'metrics/m.yml:2:41 unknown metric or measure "orders.revenu" (orders.revenue)',
    ],
    [
      'circle of metrics',
      { 'metrics/m.yml': 'metrics:\n  - {name: m, type: derived, expression: m + 1}\n' },
      'metrics/m.yml:2:12 metric "m" refers to itself',
    ],
    [
      'no simple metric',
      {
        'metrics/m.yml': 'metrics:\n  - {name: m, type: simple, expression: orders.revenue * 2}\n',
      },
      'metrics/m.yml:2:41 a simple metric is one measure, cube.measure (type: derived)',
    ],
    [
      'half a ratio',
      {
        'metrics/m.yml':
          'metrics:\n  - {name: m, type: ratio, numerator: {expression: orders.revenue}}\n',
      },
      'metrics/m.yml:2:21 a ratio needs numerator and denominator',
    ],
    [
      'filter of a metric',
      {
        'metrics/m.yml':
          'metrics:\n  - {name: m, type: simple, expression: orders.revenue, filters: [{dimension: orders.region, operator: equal, value: x}]}\n',
      },
      'metrics/m.yml:2:104 metrics[0].filters[0].operator: unknown "equal"; expected one of equals, notEquals, contains, notContains, startsWith, endsWith, gt, gte, lt, lte, between, inList, notInList, set, notSet (equals)',
    ],
    [
      'dimension of a filter',
      {
        'metrics/m.yml':
          'metrics:\n  - {name: m, type: simple, expression: orders.revenue, filters: [{dimension: orders.regoin, operator: set}]}\n',
      },
      'metrics/m.yml:2:79 unknown dimension "orders.regoin" (orders.region)',
    ],
    [
      'policy',
      {
        'policies/p.yml':
          'policies:\n  - {name: p, cube: orders, roles: [a], filter: regoin = $user.region}\n',
      },
      'policies/p.yml:2:49 "regoin" is no dimension of orders or of a cube that it joins (region)',
    ],
    [
      'roles of a policy',
      { 'policies/p.yml': 'policies:\n  - {name: p, cube: orders, roles: []}\n' },
      'policies/p.yml:2:36 policies[0].roles: name at least one role, or "*" for everyone',
    ],
    [
      'excluded member',
      {
        'policies/p.yml':
          'policies:\n  - {name: p, cube: orders, roles: [a], exclude_members: [revenu]}\n',
      },
      'policies/p.yml:2:59 unknown member "revenu" of cube orders (revenue)',
    ],
    [
      'model',
      { 'models/a.sql': "select *\nfrom {{ ref('b') }}\n" },
      'models/a.sql:2:9 unknown model "b" (a)',
    ],
    [
      'circle of models',
      { 'models/a.sql': "select * from {{ ref('a') }}" },
      'models/a.sql:1:18 model "a" would read itself: a → a',
    ],
    [
      'Jinja',
      { 'models/a.sql': '\n{% if x %} select 1 {% endif %}' },
      'models/a.sql:2:1 {% if x %} is not supported; expected {% if is_incremental() %}, {% else %} or {% endif %}',
    ],
    [
      'undeclared table',
      { 'models/a.sql': 'select * from pg_catalog.pg_authid' },
      'models/a.sql:1:15 "pg_catalog.pg_authid" is no declared table; declare it under sources/',
    ],
    [
      'materialized',
      { 'models/a.sql': "{{ config(materialized='tabel') }} select 1" },
      'models/a.sql:1:4 config: materialized: unknown "tabel"; expected one of view, table, incremental, ephemeral (table)',
    ],
  ]

  test.each(CASES)('%s', (_, texts, expected) => {
    expect(problemsOf(texts).map(written)).toContain(expected)
  })

  test('all of it is reported at once', () => {
    const found = problemsOf({
      'cubes/c.yml': measure('amuont'),
      'metrics/m.yml': 'metrics:\n  - {name: m, type: simple, expression: nothing}\n',
      'policies/p.yml': 'policies:\n  - {name: p, cube: order, roles: [a]}\n',
    })
    expect(found.map(({ path }) => path)).toEqual([
      'cubes/c.yml',
      'metrics/m.yml',
      'policies/p.yml',
    ])
  })

  test('a position inside a block of SQL is that of its own line', () => {
    const sql = 'cubes:\n  - name: o\n    sql: |\n      select id\n      from raw.zzzzzzzzzz\n'
    expect(problemsOf({ 'cubes/d.yml': sql }).map(written)).toEqual([
      'cubes/d.yml:5:12 "raw.zzzzzzzzzz" is no declared table; declare it under sources/',
    ])
  })
})

describe('a SELECT reads declared tables only', () => {
  test.each([
    ['INTO', 'select 1 into x'],
    ['a lock', 'select id from raw.orders for update'],
    ['a function in FROM', 'select * from generate_series(1, 9)'],
    ['a function that runs SQL', "select query_to_xml('select 1', true, true, '')"],
    ['a setting', "select current_setting('olytix.user_id')"],
    ['a cast that looks things up', "select 'pg_authid'::regclass"],
    ['two statements', 'select 1; select 2'],
    ['something else than SELECT', 'delete from raw.orders'],
    ['a parameter', 'select $1'],
    ['the current user', 'select current_user'],
    [
      'a table of the server behind the name of a later WITH',
      'with a as (select * from pg_user), pg_user as (select 1) select * from a',
    ],
    [
      'a table of the server behind the name of an inner WITH',
      'select * from (with pg_user as (select 1) select 1) x, pg_user',
    ],
    ['a table in a sub-query', 'select * from raw.orders where id in (select oid from pg_class)'],
    ['an arm of UNION that writes', 'select id from raw.orders union (select 1 into x)'],
  ])('%s is refused', (_, sql) => {
    const text = `cubes:\n  - name: o\n    sql: ${JSON.stringify(sql)}\n`
    expect(problemsOf({ 'cubes/d.yml': text }).map(({ path }) => path)).toEqual(['cubes/d.yml'])
  })

  test('models are put in as sub-queries, and every table below them is known', () => {
    const { cubes } = build({
      'models/a.sql':
        "{{ config(materialized='view') }}\nselect id, region from {{ source('raw', 'orders') }}",
      'models/deep/b.sql':
        "-- a comment\nwith x as (select a.* from {{ ref('a') }}) select x.id from x",
      'cubes/b.yml': 'cubes:\n  - {name: b, model: b, dimensions: [{name: id, type: number}]}\n',
    })
    expect(cubes['b']?.relation).toMatchObject({
      text: '(WITH x AS (SELECT a.* FROM (SELECT id, region FROM "raw"."orders" AS orders) AS a) SELECT x.id FROM x)',
      tables: [{ schema: 'raw', table: 'orders' }],
      columns: ['id'],
    })
  })
})

describe('a project', () => {
  test('is frozen all the way down', () => {
    const project = build()
    expect(Object.isFrozen(project.cubes['orders']?.dimensions['region']?.expression.parts)).toBe(
      true,
    )
  })

  test('takes ${NAME} from the environment, but nothing below enabled: false and nothing of security', () => {
    const text =
      'name: ${SHOP}\nvars: {enabled: false, y: "${A}"}\nsecurity: {oauth: {enabled: true, z: "${B}"}}\n'
    expect(build({ 'p.yml': text }, { SHOP: 'shop' }).name).toBe('shop')
  })

  test('a value of the environment cannot change the structure', () => {
    const text = 'name: a\nwarehouse: {type: postgres, url: "${URL}"}\n'
    const { settings } = readProjectFile({ path: 'p.yml', text }, { URL: 'x", type: "mysql' })
    expect(settings && warehouseUrlOf(settings.shape)?.reveal()).toBe('x", type: "mysql')
  })

  test('any text may be looked up', () => {
    const { cubes } = build()
    expect([cubes['__proto__'], cubes['constructor']]).toEqual([undefined, undefined])
  })
})
