import { beforeAll, describe, expect, test } from '@jest/globals'
import { AppError, type ErrorDetail } from '@olytix/errors'
import { loadModule } from 'libpg-query'
import { buildProject } from './build-project.js'
import type { Project } from './project.js'

beforeAll(() => loadModule())

const SOURCES = `sources:
  - name: raw
    tables: [{name: orders, columns: [{name: region}, {name: amount}]}]
`
const TARGETS = 'region,month,target,is_open\nWest,2026-01-01,10.50,true\nEast,2026-02-01,,false\n'

type Texts = Readonly<Record<string, string>>

function build(texts: Texts): Project {
  const files = { 'sources/s.yml': SOURCES, ...texts }
  const below = (folder: string) =>
    Object.entries(files).flatMap(([path, text]) =>
      path.startsWith(folder) ? [{ path, text }] : [],
    )
  return buildProject(
    {
      project: { path: 'p.yml', text: 'name: shop\n' },
      sources: below('sources/'),
      models: below('models/'),
      cubes: below('cubes/'),
      metrics: [],
      policies: [],
      seeds: below('seeds/'),
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

function typesOf(texts: Texts): string[] {
  return Object.values(build(texts).seeds).flatMap(({ columns }) =>
    columns.map(({ name, type }) => `${name} ${type}`),
  )
}

describe('a seed', () => {
  test('is read by name from the table that it is loaded into', () => {
    const project = build({
      'seeds/targets.csv': TARGETS,
      'models/open.sql': "select region, target from {{ ref('targets') }} where is_open",
      'cubes/c.yml': `cubes:
  - {name: targets, model: targets, measures: [{name: target, type: sum, sql: target}]}
  - {name: open, model: open, measures: [{name: target, type: sum, sql: target}]}
`,
    })
    expect(project.cubes['targets']?.relation.text).toBe('"seeds"."targets"')
    expect(project.cubes['open']?.relation.text).toContain('FROM "seeds"."targets"')
    expect(project.tables).toEqual([{ schema: 'seeds', table: 'targets' }])
    expect(project.cubes['open']?.relation.lineage.rows).toEqual([
      { schema: 'seeds', table: 'targets', column: 'is_open' },
    ])
  })

  test('is loaded where its YAML file says, with the types and descriptions said there', () => {
    const { seeds } = build({
      'seeds/targets.csv': TARGETS,
      'seeds/seeds.yml': `seeds:
  - name: targets
    description: What we aim at.
    schema: plans
    alias: regional_targets
    columns: [{name: month, type: text, description: First day.}]
`,
    })
    expect(seeds['targets']).toMatchObject({
      description: 'What we aim at.',
      target: { schema: 'plans', table: 'regional_targets' },
    })
    expect(seeds['targets']?.columns[1]).toEqual({
      name: 'month',
      type: 'text',
      description: 'First day.',
    })
  })

  test.each([
    ['true,FALSE,,', 'boolean'],
    ['0,-7,9223372036854775807', 'bigint'],
    ['9223372036854775808,1', 'numeric'],
    ['1.5,2', 'numeric'],
    ['2024-02-29', 'date'],
    ['2023-02-29', 'text'],
    ['2024-01-01 00:00:00,2024-01-01T23:59:59.123456', 'timestamp'],
    ['2024-01-01T00:00:00Z,2024-01-01 00:00:00+05:30', 'timestamptz'],
    ['2024-01-01T00:00:00Z,2024-01-01 00:00:00', 'text'],
    ['007', 'text'],
    ['1e5', 'text'],
    ['NaN', 'text'],
    ['1,x', 'text'],
    [',', 'text'],
  ])('values %s make a column of type %s', (values, type) => {
    const csv = `a,b\n${values
      .split(',')
      .map((value) => `${value},x\n`)
      .join('')}`
    expect(typesOf({ 'seeds/s.csv': csv })[0]).toBe(`a ${type}`)
  })

  test('may hold quotes, commas and line ends, a byte order mark and Windows line ends', () => {
    const csv = '\ufeffid,note\r\n1,"it\'s, ""quoted""\nand long"\r\n\r\n2,plain\r\n'
    const { select } = build({ 'seeds/s.csv': csv }).seeds['s'] ?? {}
    expect(select).toContain(`[["1","it''s, \\"quoted\\"\\nand long"],["2","plain"]]`)
  })
})

describe('what is wrong with a seed is said with its file, line and column', () => {
  test.each([
    ['no line at all', '', ':1:1 expected a first line with the names of the columns'],
    [
      'a column without a name',
      'a,,b\n',
      ':1:3 expected the name of a column: letters, digits and _, at most 63 long',
    ],
    [
      'a column named as a function of rows',
      'a,max\n',
      ':1:3 "max" is a function too; name the column otherwise',
    ],
    ['two columns of one name', 'a,b,a\n', ':1:5 there is a column "a" already'],
    ['a short row', 'a,b\n1,2\n\n3\n', ':4:1 expected 2 values as in the first line, not 1'],
    ['a long row', 'a,b\n1,2,3\n', ':2:1 expected 2 values as in the first line, not 3'],
    ['an open quote', 'a,b\n1,"2\n', ':2:1 a quoted value has no closing quote'],
    [
      'a quote inside',
      'a,b\n1,2"x"\n',
      ':2:1 a quote inside of a value: quote the whole value, and double the quote',
    ],
    ['NUL', 'a,b\n1,x\0y\n', ':2:3 column b: expected a text without NUL characters'],
  ])('%s', (_what, csv, problem) => {
    expect(problemsOf({ 'seeds/s.csv': csv })).toEqual([`seeds/s.csv${problem}`])
  })

  test('a value that is not of the type said for it', () => {
    const csv = 'id,day\n1,"a\nb"\n2,2024-02-30\n2147483648,2024-02-29\n'
    const types =
      'seeds: [{name: s, columns: [{name: id, type: integer}, {name: day, type: date}]}]'
    expect(problemsOf({ 'seeds/s.csv': csv, 'seeds/s.yml': types })).toEqual([
      'seeds/s.csv:2:3 column day: expected a date such as 2026-01-31',
      'seeds/s.csv:4:3 column day: expected a date such as 2026-01-31',
      'seeds/s.csv:5:1 column id: expected a whole number of at most 4 bytes',
    ])
  })

  test('not more than ten times for one file', () => {
    expect(problemsOf({ 'seeds/s.csv': `a,b\n${'1\n'.repeat(50)}` })).toHaveLength(10)
  })

  test('names of seeds, columns and types that are not there', () => {
    const yaml = `seeds:
  - {name: target}
  - {name: targets, columns: [{name: regin, type: tex}]}
`
    expect(problemsOf({ 'seeds/targets.csv': TARGETS, 'seeds/s.yml': yaml })).toEqual([
      'seeds/s.yml:3:51 seeds[1].columns[0].type: unknown "tex"; expected one of boolean, integer, bigint, numeric, date, timestamp, timestamptz, text (text)',
    ])
    const named = yaml.replace(', type: tex', '')
    expect(problemsOf({ 'seeds/targets.csv': TARGETS, 'seeds/s.yml': named })).toEqual([
      'seeds/s.yml:2:12 unknown seed "target" (targets)',
      'seeds/s.yml:3:38 unknown column "regin" (region)',
    ])
  })

  test.each([
    [
      'a table of a source',
      'schema: raw, alias: orders',
      'seeds/targets.csv:1:1 raw.orders is a table of source raw',
    ],
    ['another seed', 'alias: other', 'seeds/targets.csv:1:1 seeds.other is a table of seed other'],
    [
      "the server's own schema",
      'schema: pg_catalog',
      "seeds/s.yml:1:33 schema pg_catalog is the server's own",
    ],
    [
      'SQL',
      `schema: 'x"; drop'`,
      'seeds/s.yml:1:33 seeds[0].schema: expected a name of letters, digits and _, at most 63 long',
    ],
  ])('it would be loaded into %s', (_what, where, problem) => {
    const texts = {
      'seeds/other.csv': 'a\n1\n',
      'seeds/targets.csv': TARGETS,
      'seeds/s.yml': `seeds: [{name: targets, ${where}}]`,
    }
    expect(problemsOf(texts)).toEqual([problem])
  })

  test('its name is that of a model, or of another seed', () => {
    const texts = {
      'seeds/a.csv': 'a\n1\n',
      'seeds/old/a.csv': 'a\n1\n',
      'models/a.sql': 'select 1 as x',
    }
    expect(problemsOf(texts)).toEqual([
      'seeds/old/a.csv:1:1 seed "a" is seeds/a.csv already',
      'models/a.sql:1:1 model "a" is seeds/a.csv already',
    ])
  })
})
