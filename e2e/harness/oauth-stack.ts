import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from '@jest/globals'
import { z } from 'zod'
import { type Answer, ask, type Question } from './http.js'
import { DirectoryProcess } from './directory.js'
import { leakedSecrets } from './leaked-secrets.js'
import { StackProcess } from './stack-process.js'

const SUPERSTORE = path.resolve(import.meta.dirname, '../../examples/superstore')

const description = z.object({
  query_api_url: z.string(),
  admin_email: z.string(),
  admin_password: z.string(),
  admin_api_key: z.string(),
})

/** A registered address of somebody's web application; nobody listens there, for nobody has to. */
export const APP_CALLBACK = 'https://app.example.com/signed-in'

/**
 * A stack with two providers, `corp` and `annex`: of both, people of corp.example may sign in, the group sales-west
 * makes an analyst, and the region of the directory becomes an attribute.
 */
export class OAuthStack {
  /** What no log may hold when the stack has stopped. */
  readonly secrets: string[] = []

  private constructor(
    private readonly folder: string,
    private readonly stack: StackProcess,
    readonly directories: Readonly<Record<'corp' | 'annex', DirectoryProcess>>,
    readonly own: z.output<typeof description>,
  ) {
    this.secrets.push(own.admin_password)
    for (const { clientSecret } of Object.values(directories)) this.secrets.push(clientSecret)
  }

  static async start(): Promise<OAuthStack> {
    const folder = mkdtempSync(path.join(tmpdir(), 'olytix-e2e-oauth-'))
    const [corp, annex] = [await DirectoryProcess.start(), await DirectoryProcess.start()]
    const project = path.join(folder, 'project')
    cpSync(SUPERSTORE, project, { recursive: true })
    const file = path.join(project, 'olytix-core_project.yml')
    const [withoutProviders = ''] = readFileSync(file, 'utf8').split(/^security:$/m)
    writeFileSync(file, withoutProviders + securityBlock(corp.issuer, annex.issuer))
    const stack = new StackProcess(path.join(folder, 'state'), {
      OLYTIX_LOG__LEVEL: 'debug',
      OLYTIX_PROJECT_PATH: project,
      OLYTIX_OAUTH__ALLOW_PRIVATE_ADDRESSES: 'true',
      CORP_CLIENT_SECRET: corp.clientSecret,
      ANNEX_CLIENT_SECRET: annex.clientSecret,
    })
    const own = description.parse(await stack.ready())
    const running = new OAuthStack(folder, stack, { corp, annex }, own)
    await corp.allow(running.addressOf('corp', 'callback'))
    await annex.allow(running.addressOf('annex', 'callback'))
    return running
  }

  get url(): string {
    return this.own.query_api_url
  }

  /** Stops it all; fails if a log holds a secret. */
  async stop(): Promise<void> {
    await this.stack.stop('SIGTERM')
    for (const directory of Object.values(this.directories)) await directory.kill()
    const leaked = leakedSecrets(this.secrets, path.join(this.stack.stateDir, 'logs'))
    expect(leaked).toEqual([])
    rmSync(this.folder, { recursive: true, force: true })
  }

  addressOf(provider: string, step: string): string {
    return `${this.url}/api/v1/auth/oauth/${provider}/${step}`
  }

  /** Where a browser begins. */
  authorize(provider: string, search: Readonly<Record<string, string>> = {}): string {
    const query = new URLSearchParams(search).toString()
    return `${this.addressOf(provider, 'authorize')}${query ? `?${query}` : ''}`
  }

  ask(address: string, question: Question = {}): Promise<Answer> {
    return ask(address, { server: this.url, ...question })
  }

  asAdmin(address: string): Promise<Answer> {
    return this.ask(address, { key: this.own.admin_api_key })
  }
}

function securityBlock(corp: string, annex: string): string {
  const provider = (name: string, issuer: string): string => `
      - name: ${name}
        display_name: ${name.toUpperCase()} directory
        client_id: olytix
        client_secret: \${${name.toUpperCase()}_CLIENT_SECRET}
        issuer: ${issuer}
        scopes: [openid, email, profile, directory]
        allowed_domains: [corp.example]
        claims:
          roles: {from: groups, map: {sales-west: analyst, it: admin}}
          attributes: {region: region}`
  return `security:
  oauth:
    enabled: true
    redirect_uris: [http://127.0.0.1/callback, ${APP_CALLBACK}]
    providers:${provider('corp', corp)}${provider('annex', annex)}
`
}
