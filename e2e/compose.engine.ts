import { type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'

const REPOSITORY = new URL('..', import.meta.url)

/** What a command wrote, once it ended well. */
export async function output(
  command: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  const child = start(command, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  await succeeded(child, command, () => stderr)
  return stdout
}

/** Runs a command that takes its time; what it writes is shown at once. */
export async function show(command: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<void> {
  await succeeded(start(command, { env, stdio: ['ignore', 2, 2] }), command, () => '')
}

/** `docker compose`, or `docker-compose` where that is what there is; `undefined` when no engine answers. */
export async function findCompose(): Promise<readonly string[] | undefined> {
  if (!(await works(['docker', 'info']))) return undefined
  const candidates = [['docker', 'compose'], ['docker-compose']]
  for (const candidate of candidates) {
    if (await works([...candidate, 'version'])) return candidate
  }
  return undefined
}

function works(command: readonly string[]): Promise<boolean> {
  return output(command).then(
    () => true,
    () => false,
  )
}

function start([program = '', ...rest]: readonly string[], options: SpawnOptions) {
  return spawn(program, rest, {
    ...options,
    cwd: REPOSITORY,
    env: { ...process.env, ...options.env },
  })
}

async function succeeded(
  child: ReturnType<typeof start>,
  command: readonly string[],
  stderr: () => string,
): Promise<void> {
  const code = await new Promise<number | string>((resolve) => {
    child.once('error', (error) => {
      resolve(error.message)
    })
    child.once('close', (status) => {
      resolve(status ?? 'a signal')
    })
  })
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${String(code)}\n${stderr()}`)
}

/** A TCP port that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0)
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
