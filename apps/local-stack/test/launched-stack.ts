import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import { isRunning } from '../src/process-id.js'

const MAIN = path.resolve(import.meta.dirname, '../dist/main.js')
const DEADLINE_MS = 60_000

const StackFile = z.object({
  query_api_url: z.string(),
  identity_address: z.string(),
  warehouse_url: z.string(),
  admin_email: z.string(),
  admin_password: z.string(),
  admin_api_key: z.string(),
  pids: z.object({
    start: z.number(),
    identity: z.number(),
    query_api: z.number(),
    postgres: z.number(),
  }),
})
export type StackFile = z.output<typeof StackFile>

/** A launcher that runs as a process of its own, on free ports, and what it says. */
export class LaunchedStack {
  output = ''
  private readonly child: ChildProcess
  private readonly closed: Promise<unknown>

  constructor(
    readonly stateDir: string,
    environment: NodeJS.ProcessEnv = {},
  ) {
    this.child = spawn(process.execPath, [MAIN], {
      env: {
        ...withoutOurs(process.env),
        OLYTIX_STATE_DIR: stateDir,
        OLYTIX_HTTP__PORT: '0',
        OLYTIX_IDENTITY__PORT: '0',
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const collect = (chunk: Buffer): void => {
      this.output += chunk.toString()
    }
    this.child.stdout?.on('data', collect)
    this.child.stderr?.on('data', collect)
    this.closed = once(this.child, 'close')
  }

  /** Waits for stack.json of this very start. */
  ready(): Promise<StackFile> {
    return until(async () => {
      if (this.child.exitCode !== null) throw new Error(`it ended:\n${this.output}`)
      const stack = await readStackFile(this.stateDir)
      return stack?.pids.start === this.child.pid ? stack : undefined
    })
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  /** Waits for its end and gives the exit code; null when a signal ended it. */
  async exitCode(): Promise<number | null> {
    await this.closed
    return this.child.exitCode
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.signal('SIGTERM')
    await this.closed
  }
}

/** The environment without settings of somebody's own stack. */
function withoutOurs(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !name.startsWith('OLYTIX_')),
  )
}

async function readStackFile(stateDir: string): Promise<StackFile | undefined> {
  const text = await readFile(path.join(stateDir, 'stack.json'), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : StackFile.parse(JSON.parse(text))
}

export function runningPids({ pids }: StackFile): number[] {
  return Object.values(pids).filter((pid) => isRunning(pid))
}

/** Polls until `ask` gives something. */
export async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + DEADLINE_MS
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (Date.now() > deadline) throw new Error('waited in vain')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** A folder of mode 0700, as mktemp makes it; `dispose` also removes the data that root's PostgreSQL keeps elsewhere. */
export async function makeStateDir(): Promise<{ path: string; dispose: () => Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'olytix-stack-'))
  return {
    path: folder,
    dispose: async () => {
      const data = await readFile(path.join(folder, 'postgres-folder'), 'utf8').catch(() => '')
      if (data) await rm(data, { recursive: true, force: true })
      await rm(folder, { recursive: true, force: true })
    },
  }
}
