import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { CLIENT, type Person } from './lying-provider.js'

const SCRIPT = fileURLToPath(new URL('oidc-provider-process.js', import.meta.url))
const MAX_STEPS = 10

/** oidc-provider as a process of its own. */
export class HonestProvider {
  private constructor(
    private readonly child: ChildProcess,
    readonly issuer: string,
  ) {}

  static async start(redirectUri: string, person: Person): Promise<HonestProvider> {
    const settings = {
      clientId: CLIENT.id,
      clientSecret: CLIENT.secret,
      redirectUris: [redirectUri],
      person,
    }
    const child = spawn(process.execPath, [SCRIPT, JSON.stringify(settings)], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    for await (const line of createInterface({ input: child.stdout })) {
      return new HonestProvider(child, line)
    }
    throw new Error('oidc-provider did not start')
  }

  /** Who signs in from now on. */
  async become(person: Person): Promise<void> {
    await fetch(`${this.issuer}/person`, { method: 'PUT', body: JSON.stringify(person) })
  }

  /** A browser: goes where it is sent, with its cookies, until it is sent away from the provider. */
  async signIn(authorizationUrl: URL): Promise<Record<string, string>> {
    const cookies = new Map<string, string>()
    let url = authorizationUrl
    for (let step = 0; step < MAX_STEPS && url.origin === this.issuer; step++) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const answer = await fetch(url, { redirect: 'manual', headers: { cookie } })
      for (const each of answer.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(each) ?? []
        cookies.set(name, value)
      }
      const location = answer.headers.get('location')
      if (location === null) throw new Error(`the provider shows a page: ${await answer.text()}`)
      url = new URL(location, url)
    }
    return Object.fromEntries(url.searchParams)
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    this.child.kill('SIGKILL')
    await once(this.child, 'exit')
  }
}
