import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { Database, ident, installRowSecurity, PipelinedReader, trusted } from '../src/index.js'
import { createTestDatabase, TcpGate, type TestDatabase } from '../src/testing/index.js'

/** Stands before PostgreSQL and spoils one word of what a client says: the length of the message stays. */
class SpoilingGate extends TcpGate {
  spoilt: string | undefined

  static async beforeDatabase({ host }: URL): Promise<SpoilingGate> {
    const gate = new SpoilingGate(host)
    await gate.open()
    return gate
  }

  protected override rewrite(said: Buffer): Buffer {
    const at = this.spoilt === undefined ? -1 : said.indexOf(this.spoilt)
    if (at >= 0) said.write('x', at)
    return said
  }
}

const RUNS = Number(process.env['OLYTIX_TEST__PROPERTY_RUNS'] ?? 300)

let database: TestDatabase
let gate: SpoilingGate
let reader: PipelinedReader
const ASKING = { text: 'select region from public.policed', values: [] }
const WEST = {
  'olytix.attributes.region': 'West',
  statement_timeout: '1234',
  timezone: 'Asia/Tokyo',
}
const TRACES = {
  text: `select pg_backend_pid(), current_user = session_user, nullif(current_setting('olytix.attributes.region', true), ''),
    current_setting('statement_timeout'), current_setting('timezone') = 'Asia/Tokyo', current_setting('transaction_read_only')`,
  values: [],
}

beforeAll(async () => {
  database = await createTestDatabase()
  const owner = new Database({ url: database.ownerUrl })
  await installRowSecurity(owner)
  await owner.execute(
    trusted(`
    create table policed (region text);
    insert into policed values ('West'), ('East');
    alter table policed enable row level security;
    create policy policed__own on policed using (region = (select olytix.user_attribute('region')));
    grant select on policed to public;`),
  )
  await owner.close()
  gate = await SpoilingGate.beforeDatabase(new URL(database.url))
})

beforeEach(() => {
  const url = new URL(database.url)
  url.host = gate.address
  reader = new PipelinedReader({ url: url.href, maxConnections: 1, acquireTimeoutMs: 2000 })
})

afterEach(async () => {
  gate.spoilt = undefined
  gate.replyDelayMs = 0
  await reader.close()
})

afterAll(async () => {
  await gate.stop()
  await database.drop()
})

const traces = async () => (await reader.read(TRACES, {})).rows[0]?.slice(1)
const CLEAN = ['t', null, '0', 'f', 'on']

test('a read costs one round trip, however many statements it is', async () => {
  await reader.read(ASKING, WEST)
  // So that no answer can overtake what the client still has to say.
  gate.replyDelayMs = 300
  const before = gate.turns
  expect((await reader.read(ASKING, WEST)).rows).toEqual([['West']])
  expect(gate.turns - before).toBe(1)
})

describe('a fault at any step', () => {
  // The statement after a failed `begin` runs by itself: that it has no context is what denies it.
  test.each(['begin read only', 'set_config', 'region from public', 'commit'])(
    'in %j is an error and never a row, and leaves nothing to the next',
    async (word) => {
      await reader.read(ASKING, WEST)
      gate.spoilt = word
      await expect(reader.read(ASKING, WEST)).rejects.toThrow()
      gate.spoilt = undefined
      expect(await traces()).toEqual(CLEAN)
      expect((await reader.read(ASKING, WEST)).rows).toEqual([['West']])
    },
  )

  test.each(['begin read only', 'commit'])('in %j ends the connection', async (word) => {
    const [before] = (await reader.read(TRACES, {})).rows
    gate.spoilt = word
    await expect(reader.read(TRACES, WEST)).rejects.toThrow()
    gate.spoilt = undefined
    const [after] = (await reader.read(TRACES, {})).rows
    expect(after?.[0]).not.toBe(before?.[0])
  })

  test('a line that is cut in the middle leaves nothing behind', async () => {
    const cut = reader.read({ text: 'select pg_sleep(30)', values: [] }, WEST)
    const settled = expect(cut).rejects.toThrow()
    setTimeout(() => {
      gate.cut()
    }, 50)
    await settled
    gate.restore()
    expect(await traces()).toEqual(CLEAN)
  })

  test('a setting that PostgreSQL does not take is an error, and the next read is clean', async () => {
    await expect(reader.read(ASKING, { ...WEST, timezone: 'Nowhere/At_All' })).rejects.toThrow()
    expect(await traces()).toEqual(CLEAN)
  })

  test('a statement that is cancelled leaves nothing behind', async () => {
    const slow = { text: 'select pg_sleep(30)', values: [] }
    await expect(reader.read(slow, { ...WEST, statement_timeout: '20' })).rejects.toMatchObject({
      code: '57014',
    })
    expect(await traces()).toEqual(CLEAN)
  })
})

describe('a read cannot write', () => {
  test('not even where the role may', async () => {
    const server = new Database({ url: process.env['OLYTIX_TEST__DATABASE_URL'] ?? '' })
    await server.execute(
      trusted(
        `grant create on database ${ident(new URL(database.url).pathname.slice(1)).toStatement().text} to public`,
      ),
    )
    await server.close()
    await expect(reader.read({ text: 'create schema mine', values: [] }, {})).rejects.toMatchObject(
      { code: '25006' },
    )
  })

  test.each([
    'set transaction read write',
    `select set_config('transaction_read_only', 'off', false)`,
  ])('and %s does not change that', async (text) => {
    await expect(reader.read({ text, values: [] }, WEST)).rejects.toMatchObject({ code: '25001' })
    expect(await traces()).toEqual(CLEAN)
  })
})

test('values that look like SQL or like another setting are what is compared, and nothing else', async () => {
  const parts = [
    `'`,
    `"`,
    `\\`,
    `--`,
    `;`,
    `$1`,
    `\n`,
    `{`,
    `}`,
    `,`,
    `olytix.user_id`,
    `=`,
    `West`,
    `\u2028`,
    `é`,
  ]
  const echo = {
    text: `select current_setting('olytix.attributes.region'), current_setting('olytix.user_id')`,
    values: [],
  }
  const values = Array.from({ length: RUNS }, (_, n) =>
    Array.from(
      { length: 6 },
      (_, place) => parts[(n * (place + 3) + place ** 3) % parts.length],
    ).join(''),
  )
  for (const value of [...values, 'x'.repeat(1_000_000)]) {
    const { rows } = await reader.read(echo, {
      'olytix.attributes.region': value,
      'olytix.user_id': 'usr_1',
    })
    expect(rows).toEqual([[value, 'usr_1']])
  }
})
