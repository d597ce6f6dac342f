import { createHash } from 'node:crypto'
import { Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import { AuthGuardsModule } from '@olytix/auth-guards'
import { FakeAuthorizer } from '@olytix/auth-guards/testing'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createFastifyAdapter } from '../src/http/fastify-server.js'
import { LoginController } from '../src/http/login/login.http.js'

let app: NestFastifyApplication
let url: string
beforeAll(async () => {
  @Module({
    imports: [
      AuthGuardsModule.forRoot({ authorizer: new FakeAuthorizer({}), allowQueryParameter: true }),
    ],
    controllers: [LoginController],
  })
  class App {}
  const adapter = createFastifyAdapter({ trustedProxies: [], onResponse: () => undefined })
  app = await NestFactory.create<NestFastifyApplication>(App, adapter, { logger: false })
  await app.listen(0, '127.0.0.1')
  url = await app.getUrl()
})
afterAll(() => app.close())

interface Page {
  readonly answer: Response
  readonly html: string
  readonly policy: ReadonlyMap<string, string>
}

async function open(search = ''): Promise<Page> {
  const answer = await fetch(`${url}/login${search}`, { redirect: 'manual' })
  const policy = (answer.headers.get('content-security-policy') ?? '').split('; ').map((rule) => {
    const [name = '', ...values] = rule.split(' ')
    return [name, values.join(' ')] as const
  })
  return { answer, html: await answer.text(), policy: new Map(policy) }
}

describe('GET /login', () => {
  test('is a page that nobody keeps, frames or learns its address from', async () => {
    const { answer } = await open()
    expect(answer.status).toBe(200)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cross-origin-opener-policy': 'same-origin',
    })
  })

  test('may run its own script and style, by their hashes, and nothing else', async () => {
    const { html, policy } = await open()
    const hashes = (tag: string): string[] =>
      [...html.matchAll(new RegExp(`<${tag}[^>]*>([^]*?)</${tag}>`, 'g'))].map(
        ([, content = '']) => `'sha256-${createHash('sha256').update(content).digest('base64')}'`,
      )
    expect(hashes('script')).toEqual([policy.get('script-src')])
    expect(hashes('style')).toEqual([policy.get('style-src')])
    expect(policy.get('default-src')).toBe("'none'")
    expect(policy.get('connect-src')).toBe("'self'")
    for (const rule of ['base-uri', 'form-action', 'frame-ancestors', 'trusted-types']) {
      expect(policy.get(rule)).toBe("'none'")
    }
  })

  test('needs nothing that its policy forbids', async () => {
    const { html } = await open()
    const body = html.replace(/<(script|style)[^]*?<\/\1>/g, '')
    expect(body).not.toMatch(/\son\w+\s*=|\sstyle\s*=|javascript:|\saction\s*=/i)
    expect(body.match(/(?:src|href)="[^"]*"/g)).toEqual(['href="data:,"'])
  })

  test.each(['?next=https://evil.example', '?error=<script>&state=x', '?code=c&state=s'])(
    'is the same page whatever stands behind the question mark: %s',
    async (search) => {
      const { answer, html } = await open(search)
      expect(answer.status).toBe(200)
      expect(html).toBe((await open()).html)
    },
  )
})
