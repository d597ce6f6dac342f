import { beforeAll, describe, expect, test } from '@jest/globals'
import { AppError, type ErrorDetail } from '@olytix/errors'
import { loadModule } from 'libpg-query'
import { buildProject } from './build-project.js'
import type { Project } from './project.js'

beforeAll(() => loadModule())

const SOURCES = `sources:
  - name: raw
    tables:
      - name: orders
        columns: [{name: id, tests: [unique, not_null]}, {name: region}, {name: loaded_at}]
      - {name: regions, columns: [{name: name}]}
`
const MODEL = "select id, region from {{ source('raw', 'orders') }}"

type Texts = Readonly<Record<string, string>>

function build(texts: Texts): Project {
  const files = { 'sources/s.yml': SOURCES, 'models/m.sql': MODEL, ...texts }
  const below = (folder: string) =>
    Object.entries(files).flatMap(([path, text]) =>
      path.startsWith(folder) ? [{ path, text }] : [],
    )
  return buildProject(
    {
      project: { path: 'p.yml', text: 'name: shop\n' },
      sources: below('sources/'),
      models: below('models/'),
      cubes: [],
      metrics: [],
      policies: [],
      seeds: below('seeds/'),
      tests: below('tests/'),
    },
    {},
  )
}

function problemsOf(texts: Texts): string[] {
  try {
    build(texts)
  } catch (error) {
    if (error instanceof AppError) return (error.details ?? []).map(shown)
    throw error
  }
  return []
}

/** `file:line:column message (suggestion)` */
function shown({ path, line, column, message, suggestion }: ErrorDetail): string {
  const hint = suggestion === undefined ? '' : ` (${suggestion})`
  return `${path}:${String(line)}:${String(column)} ${message}${hint}`
}

/** A schema.yml with one test of the model's column `region`. */
function told(written: string): Texts {
  return {
    'models/schema.yml': `models: [{name: m, columns: [{name: region, tests: [${written}]}]}]`,
  }
}

describe('a test of a column counts', () => {
  const RELATION = '(SELECT id, region FROM "raw"."orders" AS orders) as subject'
  test.each([
    ['not_null', `${RELATION} where subject."region" is null`],
    [
      'unique',
      `(select from ${RELATION} where subject."region" is not null group by subject."region" having count(*) > 1) as twice`,
    ],
    [
      `accepted_values: {values: [West, "it's", 7, true]}`,
      `${RELATION} where subject."region"::text <> all (array['West', 'it''s', '7', 'true'])`,
    ],
    [
      `relationships: {to: "source('raw', 'regions')", field: name}`,
      `${RELATION} where subject."region" is not null and not exists (select from "raw"."regions" as parent where parent."name" = subject."region")`,
    ],
  ])('%s', (written, from) => {
    const name = /^\w+/.exec(written)?.[0] ?? ''
    const found = build(told(written)).tests[`m.region:${name}`]
    expect(found).toMatchObject({
      subject: 'm',
      severity: 'error',
      path: 'models/schema.yml',
      count: `select count(*) as value from ${from}`,
    })
    const tables = found?.tables.map(({ schema, table }) => `${schema}.${table}`)
    expect(tables).toEqual(
      name === 'relationships' ? ['raw.orders', 'raw.regions'] : ['raw.orders'],
    )
  })

  test('of tables of sources and of seeds as well', () => {
    const { tests } = build({
      'seeds/areas.csv': 'name\nWest\n',
      'seeds/s.yml': `seeds: [{name: areas, columns: [{name: name, tests: [{relationships: {to: ref('m'), field: region, severity: warn}}]}]}]`,
    })
    expect(Object.keys(tests)).toEqual([
      'raw.orders.id:unique',
      'raw.orders.id:not_null',
      'areas.name:relationships',
    ])
    expect(tests['areas.name:relationships']?.severity).toBe('warn')
    expect(tests['raw.orders.id:not_null']?.count).toContain('from "raw"."orders" as subject')
  })
})

describe('a file below tests/', () => {
  test('is one SELECT whose rows are failures', () => {
    const { tests } = build({
      'tests/no_south.sql': `{{ config(severity='warn') }}
select id from {{ ref('m') }} where region = 'South'`,
    })
    expect(tests['no_south']).toMatchObject({
      subject: undefined,
      severity: 'warn',
      path: 'tests/no_south.sql',
      tables: [{ schema: 'raw', table: 'orders' }],
    })
    expect(tests['no_south']?.count).toMatch(
      /^select count\(\*\) as value from \(SELECT id FROM .*\) as failing$/,
    )
  })

  test.each([
    ['delete from raw.orders', '1:1 expected a SELECT'],
    [
      'select 1 from secret.keys',
      '1:15 "secret.keys" is no declared table; declare it under sources/',
    ],
    ['select\n pg_sleep(1)', '2:2 function "pg_sleep" is not allowed here'],
    [
      "{{ config(severity='fatal') }} select 1",
      "1:4 expected config(severity='error') or config(severity='warn')",
    ],
  ])('refuses %j with its place', (text, problem) => {
    const [found] = problemsOf({ 'tests/t.sql': text })
    expect(found).toContain(`tests/t.sql:${problem}`)
  })
})

describe('what is wrong with a test is said with its place', () => {
  test.each([
    [
      'nutnull',
      'models/schema.yml:1:53 models[0].columns[0].tests[0].nutnull: unknown key "nutnull"; known are not_null, unique, accepted_values, relationships (not_null)',
    ],
    ['{}', 'models/schema.yml:1:53 models[0].columns[0].tests[0]: expected one test in each item'],
    [
      'accepted_values',
      'models/schema.yml:1:53 models[0].columns[0].tests[0].accepted_values.values: missing; expected array',
    ],
    [
      'relationships: {to: regions, field: name}',
      "models/schema.yml:1:53 to: expected ref('…') or source('…', '…')",
    ],
    [`relationships: {to: "ref('n')", field: id}`, 'models/schema.yml:1:53 unknown model "n" (m)'],
    [
      `relationships: {to: "ref('m')", field: regin}`,
      'models/schema.yml:1:53 unknown column "regin" (region)',
    ],
    ['unique, unique', 'models/schema.yml:1:61 there is a test "m.region:unique" already'],
  ])('%s', (written, problem) => {
    expect(problemsOf(told(written))).toEqual([problem])
  })

  test('a column or model that is not there', () => {
    const yaml = 'models: [{name: n}, {name: m, columns: [{name: regin}]}]'
    expect(problemsOf({ 'models/schema.yml': yaml })).toEqual([
      'models/schema.yml:1:17 unknown model "n" (m)',
      'models/schema.yml:1:48 unknown column "regin" (region)',
    ])
  })
})

describe('freshness', () => {
  const LIMITS =
    'freshness: {warn_after: {count: 12, period: hour}, error_after: {count: 2, period: day}}'

  function sources(settings: string, tables: string): Texts {
    return {
      'sources/s.yml': `sources: [{name: raw, ${settings}, tables: [${tables}]}]`,
      'models/m.sql': 'select 1 as x',
    }
  }

  test('is asked for of each table that says when a row was loaded', () => {
    const tables =
      '{name: a}, {name: b, loaded_at_field: at, freshness: {warn_after: {count: 1, period: minute}}}, {name: c, freshness: null}'
    const { freshness } = build(
      sources(`schema: landing, loaded_at_field: loaded_at, ${LIMITS}`, tables),
    )
    expect(Object.keys(freshness)).toEqual(['raw.a', 'raw.b'])
    expect(freshness['raw.a']).toMatchObject({
      table: { schema: 'landing', table: 'a' },
      warnAfterSeconds: 43_200,
      errorAfterSeconds: 172_800,
    })
    expect(freshness['raw.a']?.age).toContain('max("loaded_at")')
    expect(freshness['raw.b']).toMatchObject({ warnAfterSeconds: 60, errorAfterSeconds: undefined })
  })

  test.each([
    [sources(LIMITS, '{name: a}'), []],
    [
      sources('description: x', `{name: a, ${LIMITS}}`),
      ['sources/s.yml:1:69 freshness needs loaded_at_field: the column that says when'],
    ],
    [
      sources('loaded_at_field: at, freshness: {}', '{name: a}'),
      ['sources/s.yml:1:55 freshness needs warn_after or error_after, or both'],
    ],
    [
      sources(`loaded_at_field: loadd_at, ${LIMITS}`, '{name: a, columns: [{name: loaded_at}]}'),
      ['sources/s.yml:1:149 unknown column "loadd_at" (loaded_at)'],
    ],
  ])('needs limits and a column: %j', (texts, problems) => {
    expect(problemsOf(texts)).toEqual(problems)
  })
})
