import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import { olytixCore } from './harness/cli.js'
import { StackProcess } from './harness/stack-process.js'

/** Starts stacks of its own, one after the other. */
const TIMEOUT_MS = 300_000

const description = z.object({
  query_api_url: z.string(),
  admin_api_key: z.string(),
  pids: z.record(z.string(), z.number()),
})
type Description = z.output<typeof description>

let stateDir: string
let started: StackProcess[]
beforeEach(() => {
  stateDir = mkdtempSync(path.join(tmpdir(), 'olytix-e2e-life-'))
  started = []
})
afterEach(async () => {
  for (const stack of started) await stack.stop('SIGTERM')
  rmSync(stateDir, { recursive: true, force: true })
}, TIMEOUT_MS)

function start(environment: Readonly<Record<string, string>> = {}): StackProcess {
  const stack = new StackProcess(stateDir, environment)
  started.push(stack)
  return stack
}

async function describeStack(stack: StackProcess): Promise<Description> {
  return description.parse(await stack.ready())
}

/** Processes of the stack that still exist, by id, and any whose command or environment names its folder. */
function leftOver({ pids }: Description): string[] {
  const own = Object.values(pids).filter((pid) => pid > 0 && isAlive(pid))
  const found = processFolders().filter((folder) =>
    ['cmdline', 'environ'].some((file) => readOrEmpty(`${folder}/${file}`).includes(stateDir)),
  )
  return [...own.map(String), ...found]
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function processFolders(): string[] {
  if (!existsSync('/proc/self/environ')) return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((name) => `/proc/${name}`)
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

describe('npm start', () => {
  test(
    'leaves nothing running after Ctrl-C or SIGTERM, and finds its data again',
    async () => {
      const first = start()
      const running = await describeStack(first)
      expect(Object.keys(running.pids).toSorted()).toEqual([
        'identity',
        'postgres',
        'query_api',
        'start',
      ])
      expect(statSync(first.stackFile).mode & 0o777).toBe(0o600)
      expect(first.output).toContain(running.query_api_url)
      expect(first.output).toContain('npx olytix-core auth create-key')

      // What `npm start` suggests works as it stands: the profile is found through OLYTIX_STATE_DIR.
      const environment = { OLYTIX_STATE_DIR: stateDir }
      const args = ['auth', 'create-key', '--name', 'My Application', '--expires', '365d', '--json']
      const made = await olytixCore(args, { environment })
      const { key } = z.object({ key: z.string() }).parse(JSON.parse(made.stdout))
      expect(await first.stop('SIGINT')).toBe(0)
      expect(leftOver(running)).toEqual([])
      expect(existsSync(first.stackFile)).toBe(false)

      const second = start()
      const again = await describeStack(second)
      expect(again.admin_api_key).toBe(running.admin_api_key)
      const result = await olytixCore(['query', 'total_revenue', '--format', 'csv'], {
        environment: { OLYTIX_URL: again.query_api_url, OLYTIX_API_KEY: key },
      })
      expect(result).toMatchObject({ exitCode: 0, stdout: 'total_revenue\n2297200.8603\n' })

      const third = start()
      expect(await third.ended).toBe(1)
      expect(third.output).toContain('A stack runs already')
      expect(await second.stop('SIGTERM')).toBe(0)
      expect(leftOver(again)).toEqual([])
      expect(existsSync(second.stackFile)).toBe(false)

      const unreachable = await olytixCore(['whoami'], { environment })
      expect(unreachable).toMatchObject({ exitCode: 3, stdout: '' })
    },
    TIMEOUT_MS,
  )

  test.each(['OLYTIX_HTTP__PORT', 'OLYTIX_IDENTITY__PORT'])(
    'says so when the port of %s is taken',
    async (variable) => {
      const taken = createServer()
      await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
      const address = taken.address()
      const port = typeof address === 'object' && address !== null ? String(address.port) : ''
      const stack = start({ [variable]: port })
      expect(await stack.ended).toBe(1)
      expect(stack.output).toMatch(new RegExp(`Port ${port} .*taken`))
      expect(stack.output).toContain(`${variable}=0`)
      expect(stack.output).not.toMatch(/^\s+at /m)
      await new Promise((resolve) => taken.close(resolve))
    },
    TIMEOUT_MS,
  )
})
