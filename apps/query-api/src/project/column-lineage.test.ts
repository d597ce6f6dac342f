import { beforeAll, describe, expect, test } from '@jest/globals'
import { loadModule } from 'libpg-query'
import { columnsBehind } from './column-lineage.js'
import { readableFrom } from './build-sources.js'
import { parseRelation } from './select.js'
import type { ColumnName, Lineage, Relation, SourceTable } from './project.js'
import { SqlProblem } from './sql-tree.js'

beforeAll(() => loadModule())

const table = (name: string, columns?: readonly string[]): SourceTable => ({
  schema: 'raw',
  table: name,
  description: '',
  columns,
})

const readable = readableFrom(
  {
    raw: {
      name: 'raw',
      description: '',
      tables: { people: table('people'), known: table('known', ['id', 'name']) },
    },
  },
  () => model(),
)

function model(): Relation {
  return parseRelation('select id, name as label from raw.people', readable)
}

function lineage(sql: string): Lineage {
  return parseRelation(sql, readable).lineage
}

const shown = (columns: readonly ColumnName[]): string[] =>
  columns.map((each) => `${each.table}.${each.column}`).sort()
const behind = (sql: string, column: string): string[] => shown(columnsBehind(lineage(sql), column))

/** Ways to give a column another name; each must be seen through. */
describe('a column that shows people.name shows it under every name', () => {
  test.each([
    ['select name as x from raw.people'],
    ['select p.name as x from raw.people as p'],
    ['select people.name as x from raw.people'],
    ['select raw.people.name as x from raw.people'],
    ["select upper(name) || '!' as x from raw.people"],
    ["select case when name = 'A' then 1 end as x from raw.people"],
    ['select max(name) as x from raw.people'],
    ['select count(*) filter (where name = $$A$$) as x from raw.people'],
    ['select row_number() over (order by name) as x from raw.people'],
    ['select rank() over w as x from raw.people window w as (order by name)'],
    ['select (select name from raw.people limit 1) as x from raw.known'],
    ['select exists (select 1 from raw.people as p where p.name = known.name) as x from raw.known'],
    ['select id in (select id from raw.people where name is null) as x from raw.known'],
    ['select s.n as x from (select name as n from raw.people) as s'],
    ['select s.b as x from (select id, name from raw.people) as s (a, b)'],
    ['with q as (select name as n from raw.people) select n as x from q'],
    ['with q (n) as (select name from raw.people) select n as x from q'],
    [
      'with a as (select name from raw.people), b as (select name as n from a) select n as x from b',
    ],
    ["select '' as x from raw.known union all select name from raw.people"],
    ["select name as x from raw.people union select '' from raw.known"],
    ["select label as x from {{ ref('m') }}"],
    ["select m.label as x from {{ ref('m') }} as m"],
    [
      'select coalesce(p.name, k.name) as x from raw.known as k left join raw.people as p on p.id = k.id',
    ],
    ['select s.x from raw.known as k, lateral (select p.name as x from raw.people as p) as s'],
  ])('%s', (sql) => {
    expect(behind(sql, 'x')).toContain('people.name')
  })

  test.each([
    ['select * from raw.people', 'name'],
    ['select p.* from raw.people as p', 'name'],
    ['select name::text from raw.people', 'name'],
    ['select * from (select * from raw.people) as s', 'name'],
    ['select k.id, p.* from raw.known as k cross join raw.people as p', 'name'],
    ['select (name) from raw.people', 'name'],
  ])('%s', (sql, column) => {
    expect(behind(sql, column)).toContain('people.name')
  })
})

describe('a whole row is all of its columns', () => {
  test.each([
    ['select people::text as x from raw.people'],
    ['select j.name as x from (raw.people join raw.known using (id)) as j'],
    ['select p::text as x from raw.people as p'],
    ['select concat(p.*) as x from raw.people as p'],
    ['select row(p.*)::text as x from raw.people as p'],
    ['select count(distinct p) as x from raw.people as p'],
  ])('%s', (sql) => {
    expect(behind(sql, 'x')).toContain('people.*')
  })

  test.each([
    'select p.to_jsonb as x from raw.people as p',
    'select p.concat from raw.people as p',
    'select k.to_jsonb as x from raw.known as k',
  ])('%s is refused', (sql) => {
    expect(() => lineage(sql)).toThrow(SqlProblem)
  })

  test('also of columns that are not declared', () => {
    expect(behind('select k::text as x from raw.known as k', 'x')).toContain('known.*')
  })
})

describe('a column that is not declared is itself', () => {
  test.each([
    ['select secret as x from raw.known', 'x'],
    ['select k.secret as x from raw.known as k', 'x'],
    ['select * from raw.known', 'secret'],
    ['select s.secret as x from (select * from raw.known) as s', 'x'],
  ])('%s', (sql, column) => {
    expect(behind(sql, column)).toContain('known.secret')
  })
})

describe('what chooses rows is known', () => {
  test.each([
    ["select id from raw.people where name = 'A'"],
    ['select id from raw.people group by id, name'],
    ['select name, count(*) as c from raw.people group by 1'],
    ['select name as n, count(*) as c from raw.people group by n'],
    ['select id from raw.people group by id having max(name) > $$x$$'],
    ['select distinct name from raw.people'],
    ['select id from raw.people order by name limit 1'],
    ['select k.id from raw.known as k join raw.people as p on p.name = k.name'],
    ['select k.id from raw.known as k join raw.people as p using (name)'],
    [
      'select k.id from raw.known as k where exists (select 1 from raw.people as p where p.name = k.name)',
    ],
    ["select id from (select id from raw.people where name = 'A') as s"],
    ["with q as (select id from raw.people where name = 'A') select id from q"],
    ['select id from raw.known except select name from raw.people'],
    ['select id from raw.known intersect select name from raw.people'],
  ])('%s', (sql) => {
    expect(shown(lineage(sql).rows)).toContain('people.name')
  })

  test('a NATURAL JOIN compares whatever columns there are', () => {
    const { rows } = lineage('select k.id from raw.known as k natural join raw.people as p')
    expect(shown(rows)).toContain('people.*')
  })
})

describe('no more than is read', () => {
  test.each([
    ['select id, name from raw.people', 'id', ['people.id']],
    ['select * from raw.people', 'id', ['people.id']],
    [
      'select id from raw.known union all select id from raw.people',
      'id',
      ['known.id', 'people.id'],
    ],
    ["select id from {{ ref('m') }}", 'id', ['people.id']],
    ['select count(*) as c from raw.people', 'c', []],
  ])('%s', (sql, column, expected) => {
    expect(behind(sql, column)).toEqual(expected)
    expect(lineage(sql).rows).toEqual([])
  })
})
