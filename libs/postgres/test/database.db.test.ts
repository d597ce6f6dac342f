import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import { Database, ident, migrate, PipelinedReader, sql, violates } from '../src/index.js'
import { createTestDatabase, type TestDatabase } from '../src/testing/index.js'

let testDatabase: TestDatabase
let owner: Database

beforeAll(async () => {
  testDatabase = await createTestDatabase()
  owner = new Database({ url: testDatabase.ownerUrl })
  await owner.execute(sql`create table things (name text constraint things__name unique)`)
  await owner.execute(sql`grant select on things to ${ident(testDatabase.serviceRole)}`)
})

afterAll(async () => {
  await owner.close()
  await testDatabase.drop()
})

describe('Database', () => {
  test('sends values apart from the text, whatever they hold', async () => {
    const evil = `'; drop table things; --`
    const row = await owner.maybeOne(
      z.object({ echo: z.string() }),
      sql`select ${evil}::text as echo`,
    )
    expect(row).toEqual({ echo: evil })
  })

  test('a transaction that throws leaves nothing behind', async () => {
    await expect(
      owner.transaction(async (transaction) => {
        await transaction.execute(sql`insert into things values ('half')`)
        throw new Error('stop')
      }),
    ).rejects.toThrow('stop')
    expect(await owner.many(z.object({ name: z.string() }), sql`select name from things`)).toEqual(
      [],
    )
  })

  test('names the constraint that a statement violates', async () => {
    await owner.execute(sql`insert into things values ('one')`)
    const error: unknown = await owner
      .execute(sql`insert into things values ('one')`)
      .catch((e: unknown) => e)
    expect(violates(error, 'things__name')).toBe(true)
    await owner.execute(sql`delete from things`)
  })

  test('an answer that does not come in time is UNAVAILABLE, and the pool goes on', async () => {
    const pool = new Database({ url: testDatabase.url, maxConnections: 1 })
    const slow = pool.execute(sql`select pg_sleep(5)`.within(50))
    await expect(slow).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(await pool.execute(sql`select 1`)).toBe(1)
    await pool.close()
  })

  test('a server that does not answer is UNAVAILABLE, not a driver error', async () => {
    const nowhere = new Database({ url: 'postgres://x:y@127.0.0.1:1/none' })
    await expect(nowhere.execute(sql`select 1`)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await nowhere.close()
  })
})

describe('tryLock', () => {
  test('one holds it; who releases it, or loses the connection, lets another have it', async () => {
    const first = await owner.tryLock('work', () => undefined)
    expect(await owner.tryLock('work', () => undefined)).toBeUndefined()
    expect(await owner.tryLock('other work', () => undefined)).toBeDefined()
    first?.release()
    const second = await new Promise<void>((lost, fail) => {
      untilHeld(lost)
        .then(() =>
          owner.execute(sql`
          select pg_terminate_backend(pid) from pg_locks
          where locktype = 'advisory' and granted and pid <> pg_backend_pid()
            and database = (select oid from pg_database where datname = current_database())`),
        )
        .catch(fail)
    }).then(() => untilHeld(() => undefined))
    second.release()
  })
})

async function untilHeld(onLost: () => void): Promise<{ release: () => void }> {
  for (const deadline = Date.now() + 5000; Date.now() < deadline;) {
    const lock = await owner.tryLock('work', onLost)
    if (lock) return lock
  }
  throw new Error('nobody released the lock')
}

describe('copyCsv', () => {
  test('loads quoted text, empty fields and exact numbers, and counts the rows', async () => {
    await owner.execute(sql`create table amounts (id int, note text, amount numeric)`)
    const csv = Readable.from(['id,note,amount\n1,"a, ""b""",0.10\n', '2,,1e-7\n'])
    const target = sql`amounts (id, note, amount)`
    expect(await owner.transaction((transaction) => transaction.copyCsv(target, csv))).toBe(2)
    const Row = z.object({ note: z.string().nullable(), amount: z.string() })
    expect(await owner.many(Row, sql`select note, amount from amounts order by id`)).toEqual([
      { note: 'a, "b"', amount: '0.10' },
      { note: null, amount: '0.0000001' },
    ])
  })

  test('a bad line loads nothing and leaves the pool usable', async () => {
    await owner.execute(sql`create table numbers (id int)`)
    const csv = Readable.from(['id\n1\nx\n'])
    await expect(
      owner.transaction((transaction) => transaction.copyCsv(sql`numbers`, csv)),
    ).rejects.toMatchObject({ code: '22P02' })
    expect(await owner.execute(sql`select from numbers`)).toBe(0)
  })
})

describe('migrate', () => {
  test('two processes at once apply each file exactly once', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'olytix-migrations-'))
    await writeFile(path.join(folder, '0001_first.sql'), 'create table first_table (id int)')
    const applied = await Promise.all([1, 2].map(() => migrate(testDatabase.ownerUrl, folder)))
    expect(applied.flat()).toEqual(['0001_first.sql'])
  })

  test('a file that changed after it was applied is refused', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'olytix-migrations-'))
    await writeFile(path.join(folder, '0001_first.sql'), 'create table another (id int)')
    await expect(migrate(testDatabase.ownerUrl, folder)).rejects.toThrow('has changed')
  })
})

describe('PipelinedReader', () => {
  let reader: PipelinedReader
  beforeAll(() => {
    reader = new PipelinedReader({
      url: testDatabase.url,
      maxConnections: 1,
      acquireTimeoutMs: 2000,
    })
  })
  afterAll(() => reader.close())

  test('settings hold inside the transaction and are gone after it', async () => {
    const ask = {
      text: `select current_setting('olytix.user_id', true), current_setting('transaction_read_only')`,
      values: [],
    }
    expect((await reader.read(ask, { 'olytix.user_id': 'usr_1' })).rows).toEqual([['usr_1', 'on']])
    expect((await reader.read(ask, {})).rows).toEqual([['', 'on']])
  })

  test('every value is the text that the database holds', async () => {
    const { rows } = await reader.read(
      {
        text: `select 9007199254740993, 1.10::numeric, 'NaN'::float8, null, date '2016-01-02'`,
        values: [],
      },
      {},
    )
    expect(rows).toEqual([['9007199254740993', '1.10', 'NaN', null, '2016-01-02']])
  })

  test('an error in settings or statement gives no rows, and the next read is clean', async () => {
    await expect(
      reader.read({ text: 'select 1', values: [] }, { statement_timeout: 'soon' }),
    ).rejects.toThrow()
    await expect(reader.read({ text: 'select 1/0', values: [] }, {})).rejects.toMatchObject({
      code: '22012',
    })
    expect((await reader.read({ text: 'select 1', values: [] }, {})).rows).toEqual([['1']])
  })

  test('nothing can be written', async () => {
    await expect(
      reader.read({ text: 'create temp table t (id int)', values: [] }, {}),
    ).rejects.toMatchObject({ code: '25006' })
  })

  test('a broken connection gives an error and is replaced', async () => {
    await expect(
      reader.read({ text: 'select pg_terminate_backend(pg_backend_pid())', values: [] }, {}),
    ).rejects.toThrow()
    expect((await reader.read({ text: 'select 1', values: [] }, {})).rows).toEqual([['1']])
  })
})
