import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Database, sql } from '@olytix/postgres'
import { createTestDatabase, type TestDatabase } from '@olytix/postgres/testing'
import { z } from 'zod'
import { lockDefinitions } from '../src/definitions/definitions.queries.js'

let testDatabase: TestDatabase
let database: Database

beforeAll(async () => {
  const migrations = fileURLToPath(new URL('../migrations', import.meta.url))
  testDatabase = await createTestDatabase({ migrations, serviceRole: 'olytix_query' })
  database = new Database({ url: testDatabase.url, maxConnections: 4 })
})

afterAll(async () => {
  await database.close()
  await testDatabase.drop()
})

const lockIn = (lockTimeoutMs: number, idleTimeoutMs: number, hold: () => Promise<void>) =>
  database.transaction(async (transaction) => {
    await lockDefinitions(transaction, { lockTimeoutMs, idleTimeoutMs })
    await hold()
    return transaction.maybeOne(z.object({ one: z.number() }), sql`select 1 as one`)
  })

describe('the turn to change definitions', () => {
  test('is waited for but so long: then 503, try again', async () => {
    const second = lockIn(5_000, 60_000, () =>
      expect(lockIn(50, 60_000, () => Promise.resolve())).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        message: 'Somebody else is changing the definitions; try again',
      }),
    )
    expect(await second).toEqual({ one: 1 })
  })

  test('is taken from a holder who says nothing any more', async () => {
    const silent = lockIn(5_000, 100, async () => {
      const next = await lockIn(5_000, 60_000, () => Promise.resolve())
      expect(next).toEqual({ one: 1 })
    })
    await expect(silent).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })
})
