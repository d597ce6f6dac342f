import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { aPrincipal } from '@olytix/auth-guards/testing'
import { type SmallProject, startSmallProject } from './small-project.js'

/** Everything here may be made by who may write in the warehouse, and declared by who may write definitions. */
const SETUP = `
  create table raw.people (id int, name text, town text, salary int);
  insert into raw.people values (1, 'Ann', 'Ulm', 10), (2, 'Bob', 'Bonn', 90);
  create view raw.everybody as select * from raw.people;
  create view raw.names as with x as (select p.name as label, p.town from raw.everybody as p) select * from x;
  create view raw.towns as select town, count(*) as people from raw.people group by town;
  create view raw.rich as select id, town from raw.people where salary > 50;
  create view raw.labels (label) as select town from raw.people;
  create materialized view raw.copy as select id, name, town from raw.people;
  create function raw.all_people() returns setof raw.people language sql security definer as 'select * from raw.people';
  create view raw.by_function as select id, name from raw.all_people();
  create view raw.by_text as select query_to_xml('select * from raw.people', true, true, '')::text as name;
  create view raw.by_template as select '{{ people }}'::text as name;
  create table raw.days (day date);
  create view raw.days_again as select day from raw.days;
  create table raw.sales (id int, country text, amount int) partition by list (country);
  create table raw.sales_de partition of raw.sales for values in ('de');
  create table raw.sales_fr partition of raw.sales for values in ('fr');
  insert into raw.sales values (1, 'de', 1), (2, 'fr', 2);
  create table raw.places (id int, name text, secret text);
  create table raw.castles (age int) inherits (raw.places);
  insert into raw.castles values (1, 'Burg', 'key', 900);`
const TABLES =
  'people everybody names towns rich labels copy by_function by_text by_template days days_again sales sales_de sales_fr places castles'
const dimensions = (...names: string[]) =>
  `[${names.map((name) => `{name: ${name}, type: string}`).join()}]`
const cube = (table: string, ...names: string[]) =>
  `  - {name: ${table}, sql_table: raw.${table}, dimensions: ${dimensions(...names)}, measures: [{name: count, type: count}]}\n`
const CUBES =
  cube('people', 'name', 'town', 'salary') +
  cube('everybody', 'name', 'town') +
  cube('names', 'label', 'town') +
  cube('towns', 'town') +
  cube('rich', 'town') +
  cube('labels', 'label') +
  cube('copy', 'name', 'town') +
  cube('by_function', 'name') +
  cube('by_text', 'name') +
  cube('by_template', 'name') +
  cube('days_again', 'day') +
  cube('sales', 'country') +
  cube('sales_de', 'country') +
  cube('castles', 'name', 'secret') +
  cube('places', 'name', 'secret') +
  '  - {name: by_sql, sql: "select e.* from raw.everybody as e", dimensions: [{name: name, type: string}, {name: town, type: string}]}\n' +
  '  - {name: in_sql, sql: "select 1 as one where exists (select 1 from raw.names)", dimensions: [{name: one, type: number}]}\n'

const started: SmallProject[] = []
const start = async (rules: { policies?: string; masking?: string }): Promise<SmallProject> => {
  const small = await startSmallProject({
    setup: SETUP,
    tables: TABLES.split(' '),
    cubes: CUBES,
    ...rules,
  })
  started.push(small)
  return small
}
afterAll(async () => {
  for (const each of started) await each.stop()
})

const clerk = aPrincipal({ roles: ['clerk'] })
const isOpen = async (small: SmallProject, name: string, who = clerk): Promise<boolean> => {
  const body = name.endsWith('.count') ? { metrics: [name] } : { dimensions: [name] }
  const answer = await small.ask(body, who).catch((error: unknown) => error)
  if (Array.isArray(answer)) return true
  expect(answer).toMatchObject({ code: 'FORBIDDEN' })
  return false
}

describe('what reads a protected table through the database is closed like the table', () => {
  let small: SmallProject
  beforeAll(async () => {
    small = await start({
      policies: `
  - {name: own_town, cube: people, roles: [clerk], filter: town = 'Ulm'}
  - {name: germany, cube: sales_de, roles: [boss]}
  - {name: secrets, cube: places, roles: [boss]}
  - {name: all_labels, cube: labels, roles: [clerk]}`,
    })
  })

  test.each([
    ['a view', 'everybody.name'],
    ['a view of a view', 'names.label'],
    ['a view that adds up', 'towns.town'],
    ['a view that chooses by it', 'rich.town'],
    ['a materialized view', 'copy.town'],
    ['a function with rights of its own', 'by_function.name'],
    ['a query in a text', 'by_text.name'],
    ['a SELECT over a view', 'by_sql.town'],
    ['a sub-query over a view', 'in_sql.one'],
    ['the table that a protected one is a partition of', 'sales.country'],
    ['a table that inherits from a protected one', 'castles.name'],
  ])('%s', async (_, name) => {
    expect(await isOpen(small, name)).toBe(false)
    expect(await isOpen(small, name, aPrincipal({ roles: ['clerk', 'boss', 'admin'] }))).toBe(false)
  })

  test('a view over other tables stays open', async () => {
    expect(await isOpen(small, 'days_again.day')).toBe(true)
  })

  test('a policy of its own opens a view', async () => {
    expect(await isOpen(small, 'labels.label')).toBe(true)
  })

  test('a view of which nothing can be said is closed', async () => {
    expect(await isOpen(small, 'by_template.name')).toBe(false)
  })
})

describe('a masked column is followed through views', () => {
  let small: SmallProject
  beforeAll(async () => {
    small = await start({
      masking: `
  - {name: names, cube: people, members: [name], except_roles: [boss], mask: partial}
  - {name: pay, cube: people, members: [salary], except_roles: [boss], mask: null}
  - {name: secrets, cube: places, members: [secret], except_roles: [boss], mask: null}`,
    })
  })

  test.each([
    ['everybody.name', false],
    ['everybody.town', true],
    ['names.label', false],
    ['names.town', true],
    ['copy.name', false],
    ['copy.town', true],
    ['towns.town', true],
    ['rich.town', false],
    ['labels.label', true],
    ['by_sql.name', false],
    ['by_sql.town', true],
    ['castles.secret', false],
    ['castles.name', true],
    ['by_function.name', false],
    ['days_again.day', true],
  ])('%s: open is %s', async (name, expected) => {
    expect(await isOpen(small, name)).toBe(expected)
    if (name !== 'by_function.name')
      expect(await isOpen(small, name, aPrincipal({ roles: ['boss'] }))).toBe(true)
  })
})

describe('a mask on a view', () => {
  test('closes the table behind it, not the other columns of the view', async () => {
    const small = await start({
      masking: '\n  - {name: labels, cube: names, members: [label], mask: partial}',
    })
    expect(await small.ask({ dimensions: ['names.label', 'names.town'] }, clerk)).toEqual([
      { 'names.label': 'A***', 'names.town': 'Ulm' },
      { 'names.label': 'B***', 'names.town': 'Bonn' },
    ])
    expect(await isOpen(small, 'people.name')).toBe(false)
    expect(await isOpen(small, 'people.town')).toBe(true)
    expect(await isOpen(small, 'copy.name')).toBe(false)
  })
})

test('without policies and masks everything is open', async () => {
  const small = await start({})
  for (const name of ['by_function.name', 'by_text.name', 'rich.town', 'castles.secret']) {
    expect(await isOpen(small, name)).toBe(true)
  }
})
