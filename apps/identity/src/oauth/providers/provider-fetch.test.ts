import http from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { ProviderUnreachable } from './provider-errors.js'
import { createProviderFetch, type FetchRules } from './provider-fetch.js'
import { isPublicAddress } from './public-address.js'

let server: http.Server
let port: number
let requests = 0

beforeAll(async () => {
  server = http.createServer((request, response) => {
    requests += 1
    const headers = { 'content-type': 'application/json' }
    if (request.url === '/inward') {
      response.writeHead(302, { location: `http://127.0.0.1:${String(port)}/` }).end()
    } else {
      response.writeHead(200, headers).end(JSON.stringify({ host: request.headers.host }))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, resolve))
  const address = server.address()
  port = typeof address === 'object' && address ? address.port : 0
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

beforeEach(() => {
  requests = 0
})

const STRICT: FetchRules = { allowPrivateAddresses: false, timeoutMs: 2000 }
const LENIENT: FetchRules = { ...STRICT, allowPrivateAddresses: true }
const GET = { method: 'GET', headers: {}, body: undefined, redirect: 'manual' } as const

async function reasonOf(url: string, rules: FetchRules): Promise<string> {
  const error: unknown = await createProviderFetch(rules)(url, GET).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return error instanceof ProviderUnreachable ? error.reason : 'was not refused'
}

const resolvingTo =
  (...addresses: readonly string[]): NonNullable<FetchRules['resolve']> =>
  () =>
    Promise.resolve(
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )

describe('an address inside is refused and nothing is sent', () => {
  test.each([
    '127.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:10.0.0.1]',
    '169.254.169.254',
    '0x7f000001',
    '2130706433',
    '127.1',
    '0.0.0.0',
    '[::]',
    'localhost',
    'localhost.',
    'LOCALHOST',
    '１２７.0.0.1',
  ])('%s, with https or http', async (host) => {
    for (const scheme of ['https', 'http']) {
      const reason = await reasonOf(`${scheme}://${host}:${String(port)}/`, STRICT)
      // Not every system knows the name with a dot at its end.
      expect(['an address that is not public', 'ENOTFOUND']).toContain(reason)
    }
    expect(requests).toBe(0)
  })

  test('though a name has a public address too', async () => {
    const resolve = resolvingTo('1.1.1.1', '127.0.0.1')
    const reason = await reasonOf(`https://id.example.com:${String(port)}/`, { ...STRICT, resolve })
    expect(reason).toBe('an address that is not public')
  })
})

describe('with private addresses allowed', () => {
  test('plain http is spoken to them, and the control run is answered', async () => {
    const answer = await createProviderFetch(LENIENT)(`http://127.0.0.1:${String(port)}/`, GET)
    expect([answer.status, requests]).toEqual([200, 1])
  })

  test('the address that was judged is the one that is called; names are asked for once', async () => {
    let asked = 0
    const resolve: NonNullable<FetchRules['resolve']> = () => {
      asked += 1
      return resolvingTo(asked === 1 ? '127.0.0.1' : '1.1.1.1')('')
    }
    const rules = { ...LENIENT, resolve }
    const answer = await createProviderFetch(rules)(`http://id.example.com:${String(port)}/`, GET)
    expect(await answer.json()).toEqual({ host: `id.example.com:${String(port)}` })
    expect(asked).toBe(1)
  })

  test('plain http to a public address is refused', async () => {
    const rules = { ...LENIENT, resolve: resolvingTo('1.1.1.1') }
    expect(await reasonOf('http://id.example.com/', rules)).toBe('an address without https')
  })

  test('a redirect is an answer without use, and is not followed', async () => {
    expect(await reasonOf(`http://127.0.0.1:${String(port)}/inward`, LENIENT)).toBe('status 302')
    expect(requests).toBe(1)
  })
})

test.each([
  ['a name that does not answer', () => new Promise<never>(() => undefined), 'no answer in time'],
  ['a name without address', () => Promise.resolve([]), 'an unknown host'],
])('%s is a provider that is down', async (_name, resolve, reason) => {
  const rules = { ...STRICT, timeoutMs: 50, resolve }
  expect(await reasonOf('https://id.example.com/', rules)).toBe(reason)
})

test.each(['file:///etc/passwd', 'data:application/json,{}', 'ftp://127.0.0.1/', 'no address'])(
  '%s is no address of a provider',
  async (url) => {
    expect(await reasonOf(url, LENIENT)).not.toBe('was not refused')
  },
)

describe('public addresses', () => {
  test.each(['1.1.1.1', '172.15.255.255', '172.32.0.1', '100.63.255.255', '2606:4700::1111'])(
    '%s is one',
    (address) => {
      expect(isPublicAddress(address)).toBe(true)
    },
  )

  test('an IPv4 address inside IPv6 is judged as itself', () => {
    expect(isPublicAddress('::ffff:1.1.1.1')).toBe(true)
    expect(isPublicAddress('::ffff:a9fe:a9fe')).toBe(false)
  })

  test.each([
    '10.255.255.255',
    '100.64.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    'fe80::1',
    'fc00::1',
    'fd12::1',
    'ff02::1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001::1',
    '2001:db8::1',
    '::7f00:1',
  ])('%s is none', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })
})
