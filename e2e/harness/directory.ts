import { type ChildProcess, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import path from 'node:path'
import { z } from 'zod'

const ready = z.object({ issuer: z.string() })

/** Claims by subject. */
export type Directory = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** `oidc-provider.js` in a process of its own. */
export class DirectoryProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly issuer: string,
    readonly clientSecret: string,
  ) {}

  static async start(): Promise<DirectoryProcess> {
    const clientSecret = randomUUID()
    const child = fork(path.join(import.meta.dirname, 'oidc-provider.js'), {
      env: { CLIENT_SECRET: clientSecret },
      execArgv: [],
      // It warns at length that it is meant for tests.
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    const [message] = await once(child, 'message')
    return new DirectoryProcess(child, ready.parse(message).issuer, clientSecret)
  }

  /** Whom it knows from now on. */
  async setAccounts(accounts: Directory): Promise<void> {
    await this.tell({ accounts })
  }

  async allow(redirectUri: string): Promise<void> {
    await this.tell({ redirectUri })
  }

  /** As if its machine had lost power. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    this.child.kill('SIGKILL')
    await once(this.child, 'exit')
  }

  private async tell(message: object): Promise<void> {
    const done = once(this.child, 'message')
    this.child.send(message)
    await done
  }
}
