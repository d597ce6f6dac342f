import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { CursorReader } from '../src/index.js'
import { createTestDatabase, type TestDatabase } from '../src/testing/index.js'

let database: TestDatabase
let reader: CursorReader
const MANY = { text: 'select generate_series(1, 5000)', values: [] }

beforeAll(async () => {
  database = await createTestDatabase()
  reader = new CursorReader({ url: database.url, maxConnections: 1, acquireTimeoutMs: 2000 })
})

afterAll(async () => {
  await reader.close()
  await database.drop()
})

async function countAll(): Promise<number> {
  let count = 0
  for await (const { rows } of reader.read(MANY, {}, new AbortController().signal)) {
    count += rows.length
  }
  return count
}

describe('CursorReader', () => {
  test('gives every row', async () => {
    expect(await countAll()).toBe(5000)
  })

  test('who stops reading keeps no connection once its time is over, and gets an error', async () => {
    const time = new AbortController()
    const stalled = reader.read(MANY, {}, time.signal)
    await stalled.next()
    time.abort()
    expect(await countAll()).toBe(5000)
    await expect(stalled.next()).rejects.toMatchObject({ name: 'AbortError' })
  })

  test('50 that leave in the middle leave the pool whole', async () => {
    for (let left = 0; left < 50; left++) {
      const leaving = reader.read(MANY, {}, new AbortController().signal)
      await leaving.next()
      await leaving.return()
    }
    expect(await countAll()).toBe(5000)
  })

  test('a statement that runs ends at once', async () => {
    const gone = new AbortController()
    const sleeping = reader.read({ text: 'select pg_sleep(60)', values: [] }, {}, gone.signal)
    setTimeout(() => {
      gone.abort()
    }, 50)
    await expect(sleeping.next()).rejects.toThrow()
    expect(await countAll()).toBe(5000)
  })
})
