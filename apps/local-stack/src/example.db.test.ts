import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { Database, sql } from '@olytix/postgres'
import { createTestDatabase, type TestDatabase } from '@olytix/postgres/testing'
import { z } from 'zod'
import { loadExample } from './example.js'

let warehouse: TestDatabase
let database: Database

beforeAll(async () => {
  warehouse = await createTestDatabase()
  database = new Database({ url: warehouse.ownerUrl, maxConnections: 1 })
})

afterAll(async () => {
  await database.close()
  await warehouse.drop()
})

test('the example is loaded once, with exact sums', async () => {
  expect(await loadExample(warehouse.ownerUrl)).toBe(9994)
  expect(await loadExample(warehouse.ownerUrl)).toBe(0)
  const Totals = z.object({ sales: z.string(), west: z.string(), orders: z.string() })
  expect(
    await database.maybeOne(
      Totals,
      sql`
        select
          round(sum(sales), 2)::text as sales,
          (round(sum(sales) filter (where region = 'West'), 2))::text as west,
          count(distinct order_id)::text as orders
        from raw.orders`,
    ),
  ).toEqual({ sales: '2297200.86', west: '725457.82', orders: '5009' })
})

test('headings become snake_case columns of fitting types', async () => {
  const Column = z.object({ name: z.string(), type: z.string() })
  const columns = await database.many(
    Column,
    sql`
      select column_name::text as name, data_type::text as type
      from information_schema.columns
      where table_schema = 'raw' and data_type <> 'text'
      order by ordinal_position`,
  )
  expect(columns).toEqual([
    { name: 'row_id', type: 'integer' },
    { name: 'order_date', type: 'date' },
    { name: 'ship_date', type: 'date' },
    { name: 'sales', type: 'numeric' },
    { name: 'quantity', type: 'integer' },
    { name: 'discount', type: 'numeric' },
    { name: 'profit', type: 'numeric' },
  ])
  expect(
    await database.execute(sql`select sub_category, postal_code from raw.orders limit 1`),
  ).toBe(1)
})
