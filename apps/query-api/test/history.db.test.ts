import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type SmallProject, startSmallProject } from './small-project.js'

let small: SmallProject
beforeAll(async () => {
  small = await startSmallProject({
    setup: `
      create table raw.tiers (customer int, name text, since date, until date);
      insert into raw.tiers values (1, 'silver', null, '2024-02-01'), (1, 'gold', '2024-02-01', null);
      create table raw.orders (id int, customer int, day date);
      insert into raw.orders values (1, 1, '2024-01-31'), (2, 1, '2024-02-01'), (3, 2, '2024-02-01'), (4, 1, null);
      create table raw.visits (customer int);
      insert into raw.visits values (1)`,
    tables: ['tiers', 'orders', 'visits'],
    cubes: ['orders', 'visits']
      .map(
        (name) => `
  - name: ${name}
    sql_table: raw.${name}
    measures: [{name: count, type: count}]
    dimensions: [{name: customer, type: number}${name === 'orders' ? ', {name: day, type: time}' : ''}]
    joins:
      - name: tiers
        relationship: many_to_one
        sql: "{CUBE}.customer = {tiers}.customer"
        valid_from: since
        valid_to: until`,
      )
      .join('')
      .concat(
        '\n  - {name: tiers, sql_table: raw.tiers, dimensions: [{name: name, type: string}]}',
      ),
  })
})
afterAll(() => small.stop())

test('a row meets the one row that was valid at its time; an end that is null is open', async () => {
  const rows = await small.ask({ metrics: ['orders.count'], dimensions: ['tiers.name'] })
  expect(rows.map((row) => Object.values(row))).toEqual([
    ['gold', 1],
    ['silver', 1],
    [null, 2],
  ])
})

test('measures without a time are refused, for they would count once per row of the history', async () => {
  await expect(
    small.ask({ metrics: ['visits.count'], dimensions: ['tiers.name'] }),
  ).rejects.toMatchObject({
    code: 'INVALID_QUERY',
    details: [{ message: expect.stringContaining('tiers is a table with history') }],
  })
})

test('values alone are those of all times', async () => {
  const rows = await small.ask({ dimensions: ['visits.customer', 'tiers.name'] })
  expect(rows.map((row) => Object.values(row))).toEqual([
    [1, 'gold'],
    [1, 'silver'],
  ])
})
