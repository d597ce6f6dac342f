import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const readyMessage = z.object({ type: z.literal('ready'), address: z.string() })

/** The service as it is built, in a process of its own that can be killed. */
export class IdentityProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly address: string,
  ) {}

  static async start(environment: Readonly<Record<string, string>>): Promise<IdentityProcess> {
    const child = fork(MAIN, {
      env: { ...environment, PATH: process.env['PATH'] },
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const address = await new Promise<string>((resolve, reject) => {
      child.once('message', (message) => {
        resolve(readyMessage.parse(message).address)
      })
      child.once('exit', (code) => {
        reject(new Error(`identity ended with ${String(code)} while it started`))
      })
    })
    return new IdentityProcess(child, address)
  }

  /** `kill -9`: it gets no chance to finish anything. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const ended = new Promise((resolve) => this.child.once('exit', resolve))
    this.child.kill('SIGKILL')
    await ended
  }
}
