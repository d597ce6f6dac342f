import { beforeAll, describe, expect, test } from '@jest/globals'
import { loadModule } from 'libpg-query'
import { readableFrom } from './build-sources.js'
import { columnsBehind } from './column-lineage.js'
import type { ReadColumn, Relation, SourceTable } from './project.js'
import { checkSelect, parseRelation } from './select.js'

beforeAll(() => loadModule())

const table = (name: string, columns?: readonly string[]): SourceTable => {
  return { schema: 'raw', table: name, description: '', columns }
}

const readable = readableFrom(
  {
    raw: {
      name: 'raw',
      description: '',
      tables: {
        open: table('open'),
        people: table('people', ['id', 'name', 'pay']),
        towns: table('towns', ['id', 'name', 'size']),
      },
    },
  },
  () => model(),
)

function model(): Relation {
  return parseRelation('select id, upper(name) as label from raw.people where pay > 1', readable)
}

const shown = (columns: readonly ReadColumn[]): string[] =>
  columns
    .map((each) => `${[each.schema, each.table, each.column].join('.')} ${each.how ?? 'copied'}`)
    .sort()
const behind = (sql: string, column: string): string[] =>
  shown(columnsBehind(checkSelect(sql, readable).oneStep, column))
const rows = (sql: string): string[] => shown(checkSelect(sql, readable).oneStep.rows)

describe('each column of a result says how it reads what it comes from', () => {
  test.each<[string, string[]]>([
    ['select name as x from raw.people', ['raw.people.name copied']],
    ['select name as x from raw.people window w as (order by pay)', ['raw.people.name copied']],
    ["select name || '!' as x from raw.people", ['raw.people.name computed']],
    ['select name::varchar as x from raw.people', ['raw.people.name computed']],
    ['select sum(pay) as x from raw.people', ['raw.people.pay aggregated']],
    [
      'select round(sum(pay) / count(distinct id), 2) as x from raw.people',
      ['raw.people.id aggregated', 'raw.people.pay aggregated'],
    ],
    [
      'select sum(pay) filter (where id > 5) as x from raw.people',
      ['raw.people.id aggregated', 'raw.people.pay aggregated'],
    ],
    [
      'select name || max(pay) as x from raw.people group by name',
      ['raw.people.name computed', 'raw.people.pay aggregated'],
    ],
    [
      'select sum(pay) over (partition by name) as x from raw.people',
      ['raw.people.name computed', 'raw.people.pay computed'],
    ],
    [
      'select rank() over w as x from raw.people window w as (order by pay)',
      ['raw.people.pay computed'],
    ],
    [
      'select s.y as x from (select max(pay) as y from raw.people) as s',
      ['raw.people.pay aggregated'],
    ],
    [
      'with q as (select sum(pay) as total from raw.people) select total / 2 as x from q',
      ['raw.people.pay aggregated'],
    ],
    [
      'with people as (select name as n from raw.towns) select n as x from people',
      ['raw.towns.name copied'],
    ],
    [
      'select name as x from raw.people union all select upper(name) from raw.towns',
      ['raw.people.name copied', 'raw.towns.name computed'],
    ],
    [
      'select (select max(t.size) from raw.towns as t where t.id = p.id) as x from raw.people as p',
      ['raw.people.id computed', 'raw.towns.id computed', 'raw.towns.size aggregated'],
    ],
    [
      'select s.size as x from raw.people as p, lateral (select t.size from raw.towns as t) as s',
      ['raw.towns.size copied'],
    ],
    ['select open.x from raw.open', ['raw.open.x copied']],
    ["select label as x from {{ ref('m') }}", ['.m.label copied']],
  ])('%s', (sql, expected) => {
    expect(behind(sql, 'x')).toEqual(expected)
  })

  test.each<[string, string, string[]]>([
    ['select * from raw.people', 'name', ['raw.people.name copied']],
    ['select * from raw.open', 'whatever', ['raw.open.whatever copied']],
    ["select * from {{ ref('m') }}", 'label', ['.m.label copied']],
    [
      'select people.*, size from raw.people join raw.towns using (id)',
      'pay',
      ['raw.people.pay copied'],
    ],
  ])('%s: %s', (sql, column, expected) => {
    expect(behind(sql, column)).toEqual(expected)
  })
})

describe('what chooses rows is told from what joins them', () => {
  test.each<[string, string[]]>([
    ['select id from raw.people where pay > 5', ['raw.people.pay filtered']],
    ['select name from raw.people group by name', ['raw.people.name filtered']],
    [
      'select name from raw.people group by name having sum(pay) > 5',
      ['raw.people.name filtered', 'raw.people.pay filtered'],
    ],
    [
      'select p.id from raw.people as p join raw.towns as t on p.name = t.name where t.size > 5',
      ['raw.people.name joined', 'raw.towns.name joined', 'raw.towns.size filtered'],
    ],
    [
      'select pay from raw.people join raw.towns using (id)',
      ['raw.people.id joined', 'raw.towns.id joined'],
    ],
    [
      'select id from raw.people where id in (select id from raw.towns where size > 5)',
      ['raw.people.id filtered', 'raw.towns.id filtered', 'raw.towns.size filtered'],
    ],
    [
      'select id from raw.people except select id from raw.towns',
      ['raw.people.id filtered', 'raw.towns.id filtered'],
    ],
    ["select id from {{ ref('m') }}", []],
  ])('%s', (sql, expected) => {
    expect(rows(sql)).toEqual(expected)
  })
})
