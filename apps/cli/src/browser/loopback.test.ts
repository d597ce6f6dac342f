import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { Loopback } from './loopback.js'

const STATE = 'the-state-of-this-sign-in'
const SOON_MS = 20
const NEVER_MS = 60_000
const GONE_WITHIN_MS = 2000

let loopback: Loopback
beforeEach(async () => {
  loopback = await Loopback.open(STATE)
})
afterEach(() => {
  loopback.close()
})

function visit(search: string, path = '/callback', method = 'GET'): Promise<Response> {
  return fetch(new URL(`${path}?${search}`, loopback.redirectUri), { method })
}

describe('the loopback address', () => {
  test('is on 127.0.0.1, on a port of its own', async () => {
    const other = await Loopback.open(STATE)
    other.close()
    expect(loopback.redirectUri).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback$/)
    expect(other.redirectUri).not.toBe(loopback.redirectUri)
  })

  test('takes the code that comes with our state', async () => {
    const redirect = loopback.redirect(NEVER_MS)
    expect((await visit(`code=abc&state=${STATE}`)).status).toBe(200)
    expect(await redirect).toEqual({ code: 'abc' })
  })

  test.each([`error=access_denied&state=${STATE}`, `error=access_denied&code=abc&state=${STATE}`])(
    'takes an error for an error, with a code or without: %s',
    async (search) => {
      const redirect = loopback.redirect(NEVER_MS)
      await visit(search)
      expect(await redirect).toEqual({ error: 'access_denied' })
    },
  )

  test.each([
    ['another state', 'code=abc&state=another', '/callback', 'GET'],
    ['an error with another state', 'error=access_denied&state=x', '/callback', 'GET'],
    ['a state with something behind it', `code=abc&state=${STATE}x`, '/callback', 'GET'],
    ['no state', 'code=abc', '/callback', 'GET'],
    ['an empty code', `code=&state=${STATE}`, '/callback', 'GET'],
    ['neither code nor error', `state=${STATE}`, '/callback', 'GET'],
    ['another path', `code=abc&state=${STATE}`, '/', 'GET'],
    ['another method', `code=abc&state=${STATE}`, '/callback', 'POST'],
  ])('turns away %s and waits on', async (_what, search, path, method) => {
    const redirect = loopback.redirect(NEVER_MS)
    expect((await visit(search, path, method)).status).toBe(400)
    await visit(`code=right&state=${STATE}`)
    expect(await redirect).toEqual({ code: 'right' })
  })

  test('shows nothing of what it was sent, and nothing that could run', async () => {
    const redirect = loopback.redirect(NEVER_MS)
    const markup = encodeURIComponent('<script>alert(1)</script>')
    const answer = await visit(
      `error=${markup}&error_description=${markup}&code=${markup}&state=${STATE}`,
    )
    expect(await answer.text()).not.toContain('script')
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(answer.headers.get('cache-control')).toBe('no-store')
    await redirect
  })

  test('closed, lets go of a connection that was never used, and the page still arrives', async () => {
    const unused = connect(Number(new URL(loopback.redirectUri).port), '127.0.0.1')
    await once(unused, 'connect')
    const redirect = loopback.redirect(NEVER_MS)
    const page = visit(`code=abc&state=${STATE}`).then((answer) => answer.text())
    await redirect
    const gone = once(unused, 'close', { signal: AbortSignal.timeout(GONE_WITHIN_MS) })
    unused.resume()
    loopback.close()
    expect(await page).toContain('Back to the terminal')
    await gone.finally(() => unused.destroy())
  })

  test('gives up in time', async () => {
    expect(await loopback.redirect(SOON_MS)).toBeUndefined()
  })
})
