import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { findChromium, launchChromium } from './harness/chromium.js'
import { type CliResult, olytixCore } from './harness/cli.js'
import { OAuthStack } from './harness/oauth-stack.js'

/** Signing in as a person does it: from a terminal, and at the page /login. */

const START_MS = 300_000
const BROWSER = path.join(import.meta.dirname, 'harness/browser.js')
const PEOPLE = {
  wanda: {
    ...{ name: 'Wanda', email: 'wanda@corp.example', email_verified: true },
    ...{ region: 'West', groups: ['sales-west'] },
  },
  olga: { name: 'Olga', email: 'olga@elsewhere.example', email_verified: true },
}

let stack: OAuthStack
beforeAll(async () => {
  stack = await OAuthStack.start()
  await stack.directories.corp.setAccounts(PEOPLE)
}, START_MS)
afterAll(() => stack.stop())

describe('olytix-core auth login --provider', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'olytix-e2e-provider-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true })
  })

  /** @param account whom the browser signs in at the provider; `-` turns back there */
  function run(args: readonly string[], account = '-'): Promise<CliResult> {
    const environment = {
      OLYTIX_URL: stack.url,
      OLYTIX_STATE_DIR: folder,
      BROWSER: `${process.execPath} ${BROWSER} ${account} %s`,
    }
    return olytixCore(args, { environment })
  }

  test('signs in by the browser, sees the rows of that person, and signs out', async () => {
    const login = await run(['auth', 'login', '--provider', 'corp'], 'wanda')
    expect(login).toMatchObject({ exitCode: 0 })
    expect(login.stdout).toContain('as wanda@corp.example')
    expect(login.stderr).toContain(
      '/api/v1/auth/oauth/corp/authorize?redirect_uri=http%3A%2F%2F127.0.0.1%3A',
    )
    const revenue = await run([
      'query',
      'total_revenue',
      '--by',
      'orders.region',
      '--format',
      'csv',
    ])
    expect(revenue.stdout).toBe('orders.region,total_revenue\nWest,725457.8245\n')
    expect((await run(['auth', 'logout'])).exitCode).toBe(0)
    expect(readdirSync(folder)).toEqual([])
  })

  test('says that somebody turned back', async () => {
    const login = await run(['auth', 'login', '--provider', 'corp'])
    expect(login).toMatchObject({ exitCode: 1, stdout: '' })
    expect(login.stderr).toContain('error: corp or this server refused the sign-in\n')
    expect(readdirSync(folder)).toEqual([])
  })

  test('says that the account may not sign in here', async () => {
    const login = await run(['auth', 'login', '--provider', 'corp'], 'olga')
    expect(login).toMatchObject({ exitCode: 1, stdout: '' })
    expect(login.stderr).toContain('refused the sign-in')
    expect(readdirSync(folder)).toEqual([])
  })

  test('names the provider that was probably meant', async () => {
    const login = await run(['auth', 'login', '--provider', 'crop'])
    expect(login).toMatchObject({ exitCode: 1 })
    expect(login.stderr).toContain('did you mean corp?')
  })
})

const executable = findChromium()
const inChromium = executable === undefined ? describe.skip : describe
inChromium(
  'the page /login (in Chromium; skipped where there is none: OLYTIX_TEST__CHROMIUM)',
  () => {
    let browser: Browser
    let context: BrowserContext
    let page: Page
    let problems: string[]
    beforeAll(async () => {
      browser = await launchChromium(executable ?? '')
    })
    afterAll(() => browser.close())
    beforeEach(async () => {
      context = await browser.newContext()
      page = await context.newPage()
      problems = []
      page.on('pageerror', (error) => problems.push(error.message))
      page.on('console', (message) => {
        if (/Content.Security.Policy|Trusted/i.test(message.text())) problems.push(message.text())
      })
    })
    afterEach(async () => {
      await context.close()
      expect(problems).toEqual([])
    })

    const open = (search = ''): Promise<unknown> => page.goto(`${stack.url}/login${search}`)
    const heading = (name: string): Promise<void> => page.getByRole('heading', { name }).waitFor()
    const alert = (text: string): Promise<void> =>
      page.getByRole('alert').filter({ hasText: text }).waitFor()

    async function tokenOnPage(): Promise<string> {
      await page.getByText('Show the access token').click()
      const token = (await page.locator('#token').textContent()) ?? ''
      expect(token).toMatch(/^eyJ/)
      stack.secrets.push(token)
      return token
    }

    async function statusOf(key: string): Promise<number> {
      return (await stack.ask('/api/v1/auth/me', { key })).status
    }

    /** Whatever a page could leave behind in a browser. */
    async function leftBehind(): Promise<unknown> {
      const stored = await page.evaluate(
        '({ local: { ...localStorage }, session: { ...sessionStorage }, cookie: document.cookie })',
      )
      return { stored, cookies: await context.cookies(stack.url), url: page.url() }
    }

    function nothingLeft(): unknown {
      const stored = { local: {}, session: {}, cookie: '' }
      return { stored, cookies: [], url: `${stack.url}/login` }
    }

    async function enterPassword(email: string, password: string): Promise<void> {
      await page.getByLabel('E-mail address').fill(email)
      await page.getByLabel('Password').fill(password)
      await page.getByLabel('Password').press('Enter')
    }

    async function enterAtProvider(account: string): Promise<void> {
      await page.getByRole('button', { name: 'Continue with CORP directory' }).click()
      await page.getByPlaceholder('Enter any login').fill(account)
      await page.getByPlaceholder('and password').fill('any')
      await page.getByRole('button', { name: 'Sign-in' }).click()
    }

    test('signs in with a password and leaves nothing in the browser', async () => {
      await open()
      await enterPassword(stack.own.admin_email, stack.own.admin_password)
      await heading('You are signed in')
      expect(await page.locator('#me-email').textContent()).toBe(stack.own.admin_email)
      expect(await statusOf(await tokenOnPage())).toBe(200)
      expect(await leftBehind()).toEqual(nothingLeft())
      expect(await page.getByLabel('Password').inputValue()).toBe('')
    })

    test('says by an alert that the password is wrong, and waits for the next', async () => {
      await open()
      await enterPassword(stack.own.admin_email, 'not the right password')
      await alert('E-mail address or password is wrong, or the account cannot sign in.')
      expect(await page.evaluate('document.activeElement?.id')).toBe('password')
      await page.keyboard.type(stack.own.admin_password)
      await page.keyboard.press('Enter')
      await heading('You are signed in')
      expect(await page.getByRole('alert').textContent()).toBe('')
    })

    test('can be used with the keyboard alone', async () => {
      await open()
      await page.getByRole('button', { name: 'Continue with CORP directory' }).waitFor()
      const reached: unknown[] = []
      for (let presses = 0; presses < 5; presses++) {
        await page.keyboard.press('Tab')
        reached.push(
          await page.evaluate('document.activeElement?.id || document.activeElement?.textContent'),
        )
      }
      expect(reached).toEqual([
        'Continue with CORP directory',
        'Continue with ANNEX directory',
        'email',
        'password',
        'Sign in',
      ])
    })

    test('signs in with a provider: code and verifier are gone, the rows are that person’s', async () => {
      await open()
      await enterAtProvider('wanda')
      await heading('You are signed in')
      expect(await page.locator('#me-email').textContent()).toBe('wanda@corp.example')
      expect(await leftBehind()).toEqual(nothingLeft())
      const key = await tokenOnPage()
      const body = { metrics: ['total_revenue'], dimensions: ['orders.region'] }
      const answer = await stack.ask('/api/v1/query', { method: 'POST', key, body })
      expect(JSON.parse(answer.text)).toMatchObject({
        data: [{ 'orders.region': 'West', total_revenue: 725457.8245 }],
      })
    })

    test('signing out ends the session, and the page forgets it', async () => {
      await open()
      await enterPassword(stack.own.admin_email, stack.own.admin_password)
      await heading('You are signed in')
      const token = await tokenOnPage()
      await page.getByRole('button', { name: 'Sign out' }).click()
      await heading('Sign in to Olytix Core')
      const deadline = Date.now() + 1000
      while ((await statusOf(token)) !== 401 && Date.now() < deadline);
      expect(await statusOf(token)).toBe(401)
      expect(await page.content()).not.toContain(token)
    })

    test('says that a provider’s account may not sign in here', async () => {
      await open()
      await enterAtProvider('olga')
      await alert('The sign-in was refused')
      expect(page.url()).toBe(`${stack.url}/login`)
      expect(await page.getByLabel('Password').isVisible()).toBe(true)
    })

    test.each([
      '?code=of-an-attacker&state=not-from-here',
      '?code=of-an-attacker&state=undefined',
      '?error=access_denied&state=not-from-here',
    ])('redeems nothing that this window has not begun: %s', async (search) => {
      const asked: string[] = []
      page.on('request', (request) => asked.push(new URL(request.url()).pathname))
      await open(search)
      await alert('This sign-in was not begun in this window.')
      expect(asked).not.toContain('/api/v1/auth/oauth/token')
      expect(page.url()).toBe(`${stack.url}/login`)
    })

    test('at another name of this machine points to the one that the provider knows', async () => {
      await page.goto(`${stack.url.replace('localhost', '127.0.0.1')}/login`)
      const link = page.getByRole('link', { name: `${stack.url}/login` })
      await link.waitFor()
      expect(await page.getByRole('button', { name: /Continue/ }).count()).toBe(0)
    })

    test('runs no script that somebody smuggles in', async () => {
      await open()
      const ran = await page.evaluate(`(() => {
      const outcomes = []
      try {
        document.body.insertAdjacentHTML('beforeend', '<img src="x" onerror="window.smuggled = 1">')
      } catch { outcomes.push('no markup') }
      try {
        const script = document.createElement('script')
        script.append('window.smuggled = 1')
        document.body.append(script)
      } catch { outcomes.push('no script') }
      return [...outcomes, String(window.smuggled)]
    })()`)
      expect(ran).toEqual(expect.arrayContaining(['no markup', 'undefined']))
      expect(problems.length).toBeGreaterThan(0)
      problems = []
    })

    test('without JavaScript says so, and no password can go astray', async () => {
      const plain = await (await browser.newContext({ javaScriptEnabled: false })).newPage()
      await plain.goto(`${stack.url}/login`)
      expect(await plain.locator('noscript p').isVisible()).toBe(true)
      expect(await plain.getByLabel('Password').isVisible()).toBe(false)
    })
  },
)
