import { beforeAll, describe, expect, test } from '@jest/globals'
import { AppError } from '@olytix/errors'
import { loadModule } from 'libpg-query'
import { buildProject } from './build-project.js'
import type { Project } from './project.js'

beforeAll(() => loadModule())

const SOURCES = 'sources: [{name: raw, tables: [{name: orders}, {name: customers}]}]'

type Texts = Readonly<Record<string, string>>

/** @param models by their path below `models/`; `p.yml` is the project file */
function build({ 'p.yml': project = 'name: shop', ...models }: Texts): Project {
  const files = Object.entries(models).map(([path, text]) => ({ path: `models/${path}`, text }))
  return buildProject(
    {
      project: { path: 'p.yml', text: project },
      sources: [{ path: 's.yml', text: SOURCES }],
      models: files,
      cubes: [],
      metrics: [],
      policies: [],
    },
    {},
  )
}

function problemsOf(models: Texts): string[] {
  try {
    build(models)
    return []
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return (error.details ?? []).map(({ path, line, column, message, suggestion }) => {
      const hint = suggestion === undefined ? '' : ` (${suggestion})`
      return `${path}:${String(line)}:${String(column)} ${message}${hint}`
    })
  }
}

const PROJECT = `name: shop
models:
  +tags: all
  staging:
    +enabled: false
    special: {+enabled: true, +schema: marts}
vars: {least: 5}
`

describe('a model', () => {
  test('is put into what reads it as a sub-query', () => {
    const { models } = build({
      'a.sql':
        "{{ config(materialized='ephemeral') }} select id from {{ source('raw', 'orders') }}",
      'b.sql': "select id from {{ ref('a') }};",
    })
    expect(models['b']?.relation).toMatchObject({
      text: '(SELECT id FROM (SELECT id FROM "raw"."orders" AS orders) AS a)',
      tables: [{ schema: 'raw', table: 'orders' }],
      columns: ['id'],
    })
  })

  test('reads nothing that only a comment names', () => {
    const { models } = build({ 'x.sql': "-- {{ source('raw', 'orders') }}\nselect 1 as one" })
    expect(models['x']?.relation.tables).toEqual([])
  })

  test('that is a view is never incremental', () => {
    const sql = 'select {% if is_incremental() %} 1 {% else %} 2 {% endif %} as a'
    expect(build({ 'x.sql': sql }).models['x']?.relation.text).toBe('(SELECT 2 AS a)')
  })

  test('is there if its folders say so, from the outermost on, and its own file last', () => {
    const { models } = build({
      'staging/gone.sql': 'select 1 as a',
      'staging/special.sql': 'select 1 as a',
      'staging/own.sql': '{{ config(enabled=true) }} select 1 as a',
      'other.sql': 'select 1 as a',
      'off.sql': '{{ config(enabled=false) }} select 1 as a',
      'p.yml': PROJECT,
    })
    expect(Object.keys(models).sort()).toEqual(['other', 'own', 'special'])
  })

  test('var() is a text that the project file sets, or its default', () => {
    const sql = "select {{ var('least') }} as a, '{{ var('none', 'x') }}' as b"
    expect(build({ 'a.sql': sql, 'p.yml': PROJECT }).models['a']?.relation.text).toBe(
      "(SELECT 5 AS a, 'x' AS b)",
    )
  })
})

describe('a stored model', () => {
  const models = {
    'stg.sql': "select id, region from {{ source('raw', 'orders') }}",
    'fct.sql': `{{ config(materialized='table', schema='marts', alias='facts') }}
select id, region as area from {{ ref('stg') }} where region <> 'x'`,
    'top.sql': "select area from {{ ref('fct') }}",
  }
  const raw = (column: string) => ({ schema: 'raw', table: 'orders', column })
  const kept = (column: string) => ({ schema: 'marts', table: 'facts', column })

  test('is read from where it is kept', () => {
    const { fct, top } = build(models).models
    expect(fct).toMatchObject({ isStored: true, reads: [{ model: 'stg' }], increment: undefined })
    expect(fct?.relation.text).toBe('"marts"."facts"')
    expect(top?.relation.text).toBe('(SELECT area FROM "marts"."facts" AS fct)')
  })

  test('is no second name for what it was built from', () => {
    const { fct, top } = build(models).models
    expect(fct?.relation.tables).toEqual([
      { schema: 'marts', table: 'facts' },
      { schema: 'raw', table: 'orders' },
    ])
    expect(top?.relation.lineage.columns).toEqual([
      { name: 'area', from: [kept('area'), raw('region')] },
    ])
    expect(top?.relation.lineage.rows).toEqual([raw('region')])
  })

  test('that shows all columns of a table hides none of them', () => {
    const { all, one } = build({
      'all.sql': "{{ config(materialized='table') }} select * from {{ source('raw', 'orders') }}",
      'one.sql': "select secret from {{ ref('all') }}",
    }).models
    expect(all?.relation.columns).toBeUndefined()
    expect(one?.relation.lineage.columns).toEqual([
      {
        name: 'secret',
        from: [{ schema: 'models', table: 'all', column: 'secret' }, raw('secret')],
      },
    ])
  })
})

describe('an incremental model', () => {
  const INCREMENTAL = `{{ config(materialized='incremental', unique_key='id') }}
select id{% if is_incremental() %}, region as name from raw.orders where id > (select max(id) from {{ this }})
{% else %}, city as name from raw.customers {% endif %}`

  test('has one SELECT for all rows and one for those that are added', () => {
    const { inc } = build({ 'inc.sql': INCREMENTAL }).models
    expect(inc?.select).toBe('SELECT id, city AS name FROM "raw"."customers" AS customers')
    expect(inc?.increment).toEqual({
      select:
        'SELECT id, region AS name FROM "raw"."orders" AS orders WHERE id > ((SELECT max(id) FROM "models"."inc" AS inc))',
      strategy: 'delete+insert',
      uniqueKey: ['id'],
    })
  })

  test('comes from whatever either of them reads', () => {
    const { inc } = build({ 'inc.sql': INCREMENTAL }).models
    const name = inc?.lineage.columns.find((column) => column.name === 'name')
    expect(name?.from).toEqual([
      { schema: 'raw', table: 'customers', column: 'city' },
      { schema: 'raw', table: 'orders', column: 'region' },
    ])
  })

  test('reports what is wrong in the branch for added rows at its place', () => {
    const text = INCREMENTAL.replace('{{ this }}', 'pg_catalog.pg_authid')
    expect(problemsOf({ 'inc.sql': text })).toEqual([
      'models/inc.sql:2:100 "pg_catalog.pg_authid" is no declared table; declare it under sources/',
    ])
  })
})

describe('settings', () => {
  test('come from the folders down to the model, and from its own file last', () => {
    const { models } = build({
      'staging/plain.sql': 'select 1 as a',
      'staging/special.sql': "{{ config(tags='c', schema='own') }} select 1 as a",
      'other.sql': 'select 1 as a',
      'p.yml': `name: shop
models:
  +schema: marts
  +tags: all
  staging:
    +materialized: ephemeral
    special: {+materialized: table, +post_hook: 'analyze raw.orders', +tags: [a, b]}
`,
    })
    expect(models['plain']).toMatchObject({ materialized: 'ephemeral', target: undefined })
    expect(models['special']).toMatchObject({
      materialized: 'table',
      target: { schema: 'own', table: 'special' },
      tags: ['all', 'a', 'b', 'c'],
      hooks: { pre: [], post: ['analyze raw.orders'] },
    })
    expect(models['other']).toMatchObject({ target: { schema: 'marts', table: 'other' } })
  })
})

describe('a broken model is refused with its place', () => {
  const OK = 'select 1 as a'
  test.each<[string, Texts, string]>([
    [
      'a circle',
      {
        'a.sql': "select * from {{ ref('b') }}",
        'b.sql': "select * from {{ ref('c') }}",
        'c.sql': "\nselect * from {{ ref('b') }}",
      },
      'models/c.sql:2:18 model "b" would read itself: b → c → b',
    ],
    [
      'the same name twice',
      { 'x/a.sql': OK, 'y/a.sql': OK },
      'models/y/a.sql:1:1 model "a" is models/x/a.sql already',
    ],
    [
      'a name that is not one',
      { 'a-b.sql': OK },
      'models/a-b.sql:1:1 a model is named in letters, digits and _, at most 63 long',
    ],
    [
      'a model that is not enabled',
      { 'a.sql': '{{ config(enabled=false) }} select 1', 'b.sql': "select 1 from {{ ref('a') }}" },
      'models/b.sql:1:18 model "a" is not enabled',
    ],
    [
      'an unknown setting',
      { 'a.sql': "{{ config(materialised='view') }} select 1" },
      'models/a.sql:1:4 config: materialised: unknown key "materialised"; known are materialized, schema, alias, tags, enabled, unique_key, incremental_strategy (materialized)',
    ],
    [
      'an unknown variable',
      { 'a.sql': "select {{ var('leest') }}", 'p.yml': 'name: x\nvars: {least: 1}' },
      'models/a.sql:1:11 unknown variable "leest"; set it under vars: (least)',
    ],
    [
      'a variable that holds more than a value',
      {
        'a.sql': "select {{ var('x') }}",
        'p.yml': "name: x\nvars: {x: '1 from pg_ls_dir(chr(46))'}",
      },
      'models/a.sql:1:1 a function in FROM is not allowed here',
    ],
    [
      'the same table twice',
      { 'a.sql': OK, 'b.sql': "{{ config(alias='a') }} select 1 as a" },
      'models/b.sql:1:1 would be kept in models.a, as model "a" is',
    ],
    [
      'a source for a table',
      { 'orders.sql': "{{ config(schema='raw') }} select 1 as a" },
      'models/orders.sql:1:1 would be kept in raw.orders, which is a source',
    ],
    [
      'a schema of the server',
      { 'a.sql': "{{ config(schema='pg_catalog') }} select 1" },
      'models/a.sql:1:4 config: schema: is a schema of the server',
    ],
    [
      'a hook in its file',
      { 'a.sql': "{{ config(pre_hook='drop table x') }} select 1" },
      'models/a.sql:1:4 pre_hook is no setting of a model; hooks stand in the project file, as +pre_hook',
    ],
    [
      'merge without a key',
      {
        'a.sql': "{{ config(materialized='incremental', incremental_strategy='merge') }} select 1",
      },
      'models/a.sql:1:4 incremental_strategy="merge" needs a unique_key',
    ],
    [
      'this in a view',
      { 'a.sql': 'select 1 from {{ this }}' },
      'models/a.sql:1:18 {{ this }} is there only inside {% if is_incremental() %}',
    ],
    [
      'this for all rows of an incremental model',
      { 'a.sql': "{{ config(materialized='incremental') }} select 1 from {{ this }}" },
      'models/a.sql:1:59 {{ this }} is there only inside {% if is_incremental() %}',
    ],
    [
      'a setting inside a condition',
      { 'a.sql': '{% if not is_incremental() %}{{ config(enabled=false) }}{% endif %}select 1' },
      'models/a.sql:1:33 config(…) stands outside of conditions',
    ],
    [
      'a setting without +',
      { 'a.sql': OK, 'p.yml': 'name: x\nmodels: {schema: marts}' },
      'p.yml:2:18 expected settings, each with a + before it (+schema)',
    ],
    [
      'a wrong value of a setting',
      { 'a.sql': OK, 'p.yml': 'name: x\nmodels: {+materialized: tabel}' },
      'p.yml:2:25 unknown "tabel"; expected one of view, table, incremental, ephemeral (+table)',
    ],
  ])('%s', (_, models, expected) => {
    expect(problemsOf(models)).toContain(expected)
  })

  test('several at once', () => {
    const texts = { 'a.sql': 'select 1 from raw.x', 'b.sql': 'selec', 'c.sql': '{{ x() }}' }
    expect(problemsOf(texts)).toHaveLength(3)
  })
})

describe('a model cannot', () => {
  test.each([
    ['write', 'create table x as select 1'],
    ['write in a query', 'with x as (delete from raw.orders returning 1) select * from x'],
    ['be two statements', 'select 1; drop table raw.orders'],
    ['read the catalogue', 'select * from pg_roles'],
    ['read an undeclared table', 'select * from raw.secrets'],
    ['call a function of the project', 'select public.definer()'],
    ['call a function in FROM', 'select * from raw.definer()'],
    ['change a setting', "select set_config('role', 'olytix_owner', false)"],
    ['read a file', "select pg_read_file('/etc/passwd')"],
    ['run SQL in a function', "select query_to_xml('select 1', true, true, '')"],
    ['wait', 'select pg_sleep(100)'],
    ['look a table up by a cast', "select 'raw.secrets'::regclass"],
    ['give many rows out of nothing', 'select * from generate_series(1, 1e9)'],
    ['give many rows per row', 'select generate_series(1, 1000000000) from raw.orders'],
    ['recurse', 'with recursive x as (select 1 union all select 1 from x) select * from x'],
    ['use its own operators', 'select 1 operator(public.+) 1'],
    ['hide its marks', 'select olxq0.id from raw.orders as olxq0'],
    ['lock', 'select id from raw.orders for update'],
  ])('%s', (_, sql) => {
    expect(problemsOf({ 'a.sql': sql })).toHaveLength(1)
  })
})
