import { connect } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { deflateSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type QueryApp, startQueryApp } from './query-app.js'
import { type SmallProject, startSmallProject } from './small-project.js'
import { CUBES, KINDS, policies, SETUP, TABLES, tenantA } from './tenants.js'

let small: SmallProject
let app: QueryApp
const blocked = monitorEventLoopDelay({ resolution: 10 })

beforeAll(async () => {
  small = await startSmallProject({
    setup: SETUP,
    tables: TABLES,
    policies: policies(true),
    cubes: CUBES,
  })
  const kind = KINDS['tenant = attribute']
  if (!kind) throw new Error('the kind is defined')
  app = await startQueryApp(small, { a: tenantA(kind) })
})
afterAll(async () => {
  await app.close()
  await small.stop()
})

const COUNT = '{"metrics":["orders.count"]}'
const JSON_BODY = 'content-type: application/json'
/** Longer than this no single body may keep everybody else waiting; generous, since machines are shared. */
const LONGEST_BLOCK_MS = 2000

/** All that comes back for bytes; `isCut`: our side of the connection ends after them. */
function exchange(bytes: readonly (string | Buffer)[], isCut = false): Promise<string> {
  const { hostname, port } = new URL(app.url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    let reply = ''
    socket.setEncoding('utf8')
    socket.on('data', (text) => (reply += String(text)))
    socket.on('close', () => {
      resolve(reply)
    })
    // Whoever sends too much may be cut off while still sending: what came back until then counts.
    socket.on('error', (error: Error & { code?: string }) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error)
    })
    for (const each of bytes) socket.write(each)
    if (isCut) socket.end()
  })
}

/** The start of a POST by a; without a length. */
function head(...headers: readonly string[]): string {
  const { host, pathname } = new URL(app.url)
  const all = [`host: ${host}`, 'authorization: Bearer a', 'connection: close', ...headers]
  return `POST ${pathname} HTTP/1.1\r\n${all.join('\r\n')}\r\n\r\n`
}

function whole(body: string | Buffer, ...headers: readonly string[]): (string | Buffer)[] {
  const length = `content-length: ${String(Buffer.byteLength(body))}`
  return [head(length, ...(headers.length > 0 ? headers : [JSON_BODY])), body]
}

function post(body: string): Promise<string> {
  return exchange(whole(body))
}

function statusOf(reply: string): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(reply)?.[1] ?? 0)
}

/** The status and the code of a reply, which must be an answer or the documented body of an error. */
function told(reply: string): string {
  expect(reply).not.toMatch(/node_modules|\.js:|RangeError|SyntaxError|call stack|pg_|raw\./)
  const status = statusOf(reply)
  if (status === 200) return '200'
  expect(reply).toMatch(/content-type: application\/json/i)
  expect(reply).toMatch(/x-request-id: /i)
  const { error } = JSON.parse(reply.slice(reply.indexOf('\r\n\r\n'))) as {
    error: { code: string; message: string }
  }
  expect(error.message).toEqual(expect.any(String))
  return `${String(status)} ${error.code}`
}

/** After any of it everything is as before: each connection of the pool is free, and nobody was kept waiting. */
async function expectUnharmed(): Promise<void> {
  const asked = await Promise.all([post(COUNT), post(COUNT), post(COUNT), post(COUNT)])
  expect(asked.map(statusOf)).toEqual([200, 200, 200, 200])
  expect(blocked.max / 1e6).toBeLessThan(LONGEST_BLOCK_MS)
}

async function watched(ask: () => Promise<void>): Promise<void> {
  blocked.reset()
  blocked.enable()
  try {
    await ask()
    await expectUnharmed()
  } finally {
    blocked.disable()
  }
}

const LEAF = '{"dimension":"orders.id","operator":"gt","value":0}'

function nested(opening: string, closing: string, depth: number): string {
  const filter = opening.repeat(depth) + LEAF + closing.repeat(depth)
  return `{"metrics":["orders.count"],"filters":[${filter}]}`
}

function list(member: string, one: string, times: number): string {
  const rest = member === 'metrics' ? '' : '"metrics":["orders.count"],'
  return `{${rest}"${member}":[${Array.from({ length: times }, () => one).join()}]}`
}

const VALUES = `{"dimension":"orders.id","operator":"inList","value":[${'1,'.repeat(99_999)}1]}`

describe('a shape that is too much is refused, and nobody else notices', () => {
  test.each<[string, string]>([
    ['and in and, 1 000 deep', nested('{"and":[', ']}', 1000)],
    ['or in or, 1 000 deep', nested('{"or":[', ']}', 1000)],
    ['not in not, 1 000 deep', nested('{"not":', '}', 1000)],
    ['not in not, 100 000 deep', nested('{"not":', '}', 100_000)],
    ['arrays, 400 000 deep', `{"metrics":${'['.repeat(400_000)}${']'.repeat(400_000)}}`],
    ['10 000 filters', list('filters', LEAF, 10_000)],
    ['10 000 filters in one or', list('filters', `{"or":[${`${LEAF},`.repeat(9999)}${LEAF}]}`, 1)],
    ['1 000 dimensions', list('dimensions', '"orders.region"', 1000)],
    ['10 000 metrics', list('metrics', '"orders.count"', 10_000)],
    ['10 000 segments', list('segments', '"orders.large"', 10_000)],
    ['10 000 orders', list('order_by', '{"field":"orders.count","direction":"asc"}', 10_000)],
    ['100 000 values of a filter', list('filters', VALUES, 1)],
    ['100 000 unknown keys', `{${'"zqx":1,'.repeat(99_999)}"metrics":["orders.count"]}`],
  ])('%s', async (_, body) => {
    await watched(async () => {
      expect(told(await post(body))).toMatch(
        /^(400 INVALID_(REQUEST|QUERY)|413 PAYLOAD_TOO_LARGE)$/,
      )
    })
  })
})

describe('bytes that are not one JSON body get a documented refusal', () => {
  const bomb = gzipSync(Buffer.alloc(50_000_000))
  test.each<[string, () => (string | Buffer)[], string]>([
    ['JSON that ends early', () => whole(COUNT.slice(0, -2)), '400 INVALID_REQUEST'],
    ['two values', () => whole(COUNT + COUNT), '400 INVALID_REQUEST'],
    ['UTF-16', () => whole(Buffer.from(COUNT, 'utf16le')), '400 INVALID_REQUEST'],
    [
      'bytes that are no UTF-8',
      () => whole(Buffer.from([0x22, 0xff, 0x22])),
      '400 INVALID_REQUEST',
    ],
    ['a lower length', () => [head(JSON_BODY, 'content-length: 9'), COUNT], '400 INVALID_REQUEST'],
    ['a gzip bomb', () => whole(bomb, JSON_BODY, 'content-encoding: gzip'), '400 INVALID_REQUEST'],
    [
      'a deflated body',
      () => whole(deflateSync(COUNT), JSON_BODY, 'content-encoding: deflate'),
      '400 INVALID_REQUEST',
    ],
    [
      'two lengths',
      () => [head(JSON_BODY, 'content-length: 28', 'content-length: 5'), COUNT],
      '400 INVALID_REQUEST',
    ],
    [
      'a length and chunks',
      () => [head(JSON_BODY, 'content-length: 28', 'transfer-encoding: chunked'), '0\r\n\r\n'],
      '400 INVALID_REQUEST',
    ],
    ['a negative length', () => [head(JSON_BODY, 'content-length: -1')], '400 INVALID_REQUEST'],
    [
      'a chunk without a size',
      () => [head(JSON_BODY, 'transfer-encoding: chunked'), 'zz\r\n'],
      '400 INVALID_REQUEST',
    ],
    [
      'chunks without an end',
      () => [
        head(JSON_BODY, 'transfer-encoding: chunked'),
        ...Array.from({ length: 40 }, () => `8000\r\n${'x'.repeat(0x8000)}\r\n`),
      ],
      '413 PAYLOAD_TOO_LARGE',
    ],
    [
      'a length of 1 TB',
      () => [head(JSON_BODY, 'content-length: 1000000000000'), '{'],
      '413 PAYLOAD_TOO_LARGE',
    ],
    [
      '100 000 headers',
      () => [head(JSON_BODY, ...Array.from({ length: 100_000 }, () => 'x: y'))],
      '431 HEADERS_TOO_LARGE',
    ],
    ['text', () => whole(COUNT, 'content-type: text/plain'), '415 UNSUPPORTED_MEDIA_TYPE'],
    [
      'a form',
      () => whole('a=b', 'content-type: application/x-www-form-urlencoded'),
      '415 UNSUPPORTED_MEDIA_TYPE',
    ],
  ])('%s', async (_, bytes, expected) => {
    await watched(async () => {
      expect(told(await exchange(bytes()))).toBe(expected)
    })
  })

  test('of a key that comes twice one counts, and only what it asks for comes back', async () => {
    await watched(async () => {
      const reply = await post('{"metrics":["orders.least"],"metrics":["orders.count"]}')
      expect(told(reply)).toBe('200')
      expect(reply).toContain('"orders.count"')
      expect(reply).not.toContain('orders.least')
    })
  })

  test('a BOM before the body changes nothing', async () => {
    await watched(async () => {
      expect(told(await post(`\ufeff${COUNT}`))).toBe('200')
    })
  })
})

describe('a caller who goes away harms nobody', () => {
  const chunked = `${JSON_BODY}\r\ntransfer-encoding: chunked`
  test.each<[string, () => string[]]>([
    ['within the first line', () => [head().slice(0, 7)]],
    ['within the headers', () => [head().slice(0, -2)]],
    ['before the body', () => [head(JSON_BODY, 'content-length: 28')]],
    ['within the body', () => [head(JSON_BODY, 'content-length: 28'), COUNT.slice(0, 9)]],
    ['within a chunk', () => [head(chunked), '1c\r\n{"metr']],
    ['between chunks', () => [head(chunked), '5\r\n{"met\r\n']],
  ])('%s', async (_, bytes) => {
    await watched(async () => {
      const reply = await exchange(bytes(), true)
      // Whom the refusal no longer reaches gets none.
      if (reply !== '') expect(told(reply)).toBe('400 INVALID_REQUEST')
    })
  })
})
