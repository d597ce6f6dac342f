import { describe, expect, test } from '@jest/globals'
import { isOwnPage, isRegistered, withParameters } from './redirect-uri.js'

const APP = 'https://app.example/oauth/callback'
const REGISTERED = [APP, 'https://app.example/with?query=1', 'http://127.0.0.1/callback']

describe('a redirect_uri is accepted', () => {
  test.each([
    [APP],
    ['https://app.example/with?query=1'],
    ['http://127.0.0.1/callback'],
    ['http://127.0.0.1:1/callback'],
    ['http://127.0.0.1:65535/callback'],
  ])('%s', (uri) => {
    expect(isRegistered(uri, REGISTERED)).toBe(true)
  })

  test('on another port of this machine than the registered one, and on IPv6', () => {
    expect(isRegistered('http://[::1]:4711/cb', ['http://[::1]:9/cb'])).toBe(true)
  })
})

describe('a redirect_uri is refused', () => {
  test.each([
    ['a suffix', `${APP}/more`],
    ['a suffix of the domain', 'https://app.example.evil.test/oauth/callback'],
    ['a prefix', 'https://evil-app.example/oauth/callback'],
    ['a shorter path', 'https://app.example/oauth'],
    ['another case', 'https://APP.example/oauth/callback'],
    ['another case of the path', 'https://app.example/OAuth/callback'],
    ['no scheme', '//app.example/oauth/callback'],
    ['another scheme', 'http://app.example/oauth/callback'],
    ['script', 'javascript:alert(1)'],
    ['a backslash', 'https://app.example\\oauth\\callback'],
    ['a backslash before the host', 'https:\\\\evil.test/oauth/callback'],
    ['a user', 'https://app.example@evil.test/oauth/callback'],
    ['a user of the right host', 'https://evil@app.example/oauth/callback'],
    ['an encoded slash', 'https://app.example/oauth%2Fcallback'],
    ['dots', 'https://app.example/x/../oauth/callback'],
    ['a fragment', `${APP}#`],
    ['another query', `${APP}?next=https://evil.test`],
    ['a longer query', 'https://app.example/with?query=1&x=2'],
    ['a slash at the end', `${APP}/`],
    ['a blank at the end', `${APP} `],
    ['a line break', `${APP}\n`],
    ['a port', 'https://app.example:8443/oauth/callback'],
    ['the default port', 'https://app.example:443/oauth/callback'],
    ['this machine by name', 'http://localhost:8080/callback'],
    ['this machine by another number', 'http://127.0.0.2:8080/callback'],
    ['this machine in hexadecimal', 'http://0x7f000001:8080/callback'],
    ['this machine over https', 'https://127.0.0.1:8080/callback'],
    ['another path of this machine', 'http://127.0.0.1:8080/callback/more'],
    ['a query of this machine', 'http://127.0.0.1:8080/callback?x=1'],
    ['a port that is none', 'http://127.0.0.1:65536/callback'],
    ['port 0', 'http://127.0.0.1:0/callback'],
    ['a port with a user', 'http://127.0.0.1:80@evil.test/callback'],
    ['no port after the colon', 'http://127.0.0.1:/callback'],
    ['nothing', ''],
  ])('with %s', (_what, uri) => {
    expect(isRegistered(uri, REGISTERED)).toBe(false)
  })

  test('on another port unless it is of this machine', () => {
    expect(isRegistered('http://app.example:81/cb', ['http://app.example:80/cb'])).toBe(false)
  })

  test('when none is registered', () => {
    expect(isRegistered(APP, [])).toBe(false)
  })
})

describe('the own sign-in page', () => {
  const callback = 'https://olytix.example/api/v1/auth/oauth/corp/callback'

  test.each([
    ['https://olytix.example/login', 'https://olytix.example/login', true],
    ['https://olytix.example/login?x=1', 'https://olytix.example/login', false],
    ['https://evil.test/login', 'https://olytix.example/login', false],
    ['https://evil.test/login', 'https://evil.test/login', false],
    ['http://olytix.example/login', 'http://olytix.example/login', false],
  ])('%s is %s: %s', (redirectUri, loginUrl, expected) => {
    expect(isOwnPage(redirectUri, loginUrl, callback)).toBe(expected)
  })
})

describe('an address with parameters', () => {
  test.each([
    [APP, `${APP}?code=c&state=a+b%26c`],
    ['https://app.example/with?query=1', 'https://app.example/with?query=1&code=c&state=a+b%26c'],
  ])('keeps what was there: %s', (uri, expected) => {
    expect(withParameters(uri, { code: 'c', state: 'a b&c' })).toBe(expected)
  })

  test('has none for what is not there', () => {
    expect(withParameters(APP, { error: 'access_denied', state: null })).toBe(
      `${APP}?error=access_denied`,
    )
  })
})
