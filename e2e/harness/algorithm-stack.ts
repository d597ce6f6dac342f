import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from '@jest/globals'
import { z } from 'zod'
import { type Answer, ask } from './http.js'
import { aTrap, type Target, targetOf, type Trap } from './jwt-attacks.js'
import { leakedSecrets } from './leaked-secrets.js'
import { StackProcess } from './stack-process.js'

/** How long a stack may take to start and to stop. */
export const START_MS = 200_000

const description = z.object({
  query_api_url: z.string(),
  admin_email: z.string(),
  admin_password: z.string(),
})
const tokenPair = z.object({ access_token: z.string(), refresh_token: z.string() })
const publicKey = z.record(z.string(), z.string())
const keySet = z.object({ keys: z.array(publicKey) })

interface Running {
  readonly stateDir: string
  readonly stack: StackProcess
  readonly admin: z.output<typeof description>
}

/** A stack of its own whose access tokens are signed with one algorithm, and a token to attack it with. */
export class AlgorithmStack {
  private constructor(
    private readonly running: Running,
    readonly trap: Trap,
    readonly target: Target,
    readonly refreshToken: string,
  ) {}

  static async start(algorithm: string): Promise<AlgorithmStack> {
    const stateDir = mkdtempSync(path.join(tmpdir(), 'olytix-e2e-algorithm-'))
    const stack = new StackProcess(stateDir, {
      OLYTIX_SECURITY__JWT_ALGORITHM: algorithm,
      OLYTIX_LOG__LEVEL: 'debug',
    })
    const admin = description.parse(await stack.ready())
    const trap = await aTrap()
    const { access_token, refresh_token } = await signIn(admin)
    const target = targetOf(access_token, trap)
    return new AlgorithmStack({ stateDir, stack, admin }, trap, target, refresh_token)
  }

  get server(): string {
    return this.running.admin.query_api_url
  }

  /** Stops it; fails if a log of its services holds a token or the password. */
  async stop(): Promise<void> {
    await this.trap.close()
    await this.running.stack.stop('SIGTERM')
    const secrets = [this.target.token, this.refreshToken, this.running.admin.admin_password]
    const leaked = leakedSecrets(secrets, path.join(this.running.stateDir, 'logs'))
    rmSync(this.running.stateDir, { recursive: true, force: true })
    expect(leaked).toEqual([])
  }

  signIn(): Promise<z.output<typeof tokenPair>> {
    return signIn(this.running.admin)
  }

  async refresh(refreshToken: string): Promise<z.output<typeof tokenPair>> {
    return tokenPair.parse(JSON.parse((await this.askToRefresh(refreshToken)).text))
  }

  askToRefresh(refreshToken: string): Promise<Answer> {
    const body = { refresh_token: refreshToken }
    return ask('/api/v1/auth/refresh', { method: 'POST', body, server: this.server })
  }

  async statusOf(key: string): Promise<number> {
    return (await ask('/api/v1/auth/me', { key, server: this.server })).status
  }

  async publishedKeys(): Promise<z.output<typeof keySet>['keys']> {
    return keySet.parse(JSON.parse(await this.keySetText())).keys
  }

  async keySetText(): Promise<string> {
    return (await ask('/.well-known/jwks.json', { server: this.server })).text
  }

  /** The public half of the key that signed the token. */
  async verifyingKey(): Promise<z.output<typeof publicKey>> {
    const keys = await this.publishedKeys()
    const found = keys.find(({ kid }) => kid === this.target.header['kid'])
    if (!found) throw new Error('the key that signed is not published')
    return found
  }
}

async function signIn({
  query_api_url: server,
  admin_email: username,
  admin_password: password,
}: z.output<typeof description>): Promise<z.output<typeof tokenPair>> {
  const body = { username, password }
  const answer = await ask('/api/v1/auth/token', { method: 'POST', body, server })
  return tokenPair.parse(JSON.parse(answer.text))
}
