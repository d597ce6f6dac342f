import { randomUUID } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { errorCode } from './error-code.js'
import { isRunning } from './process-id.js'
import { StackError } from './stack-error.js'

/** The right to run a stack in a state folder. */
export interface StateLock {
  /** Whether an earlier start ended without cleaning up: killed, or the machine went down. */
  readonly wasLeftBehind: boolean
  release(): Promise<void>
}

const Holder = z.object({ pid: z.number().int().positive(), bornAt: z.string() })
type Holder = z.output<typeof Holder>

/**
 * Takes the state folder for this process. A holder that no longer runs does not count.
 * @throws StackError when another start runs there
 */
export async function lockStateDir(stateDir: string): Promise<StateLock> {
  const file = path.join(stateDir, 'start.lock')
  const own = `${file}.${randomUUID()}`
  const holder: Holder = { pid: process.pid, bornAt: await birthOf(process.pid) }
  await writeFile(own, JSON.stringify(holder), { mode: 0o600 })
  try {
    // A hard link appears whole or not at all, so that no reader sees a lock without its holder.
    let wasLeftBehind = false
    while (!(await linked(own, file))) {
      await removeDead(file, stateDir)
      wasLeftBehind = true
    }
    return { wasLeftBehind, release: () => rm(file, { force: true }) }
  } finally {
    await rm(own, { force: true })
  }
}

/** Removes a lock whose holder is gone. */
async function removeDead(file: string, stateDir: string): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) return
  await demandDead(text, stateDir)
  const aside = `${file}.${randomUUID()}`
  await rename(file, aside).catch(() => undefined)
  // Somebody else may have been quicker, and this is the lock that they have just taken: it goes back.
  const moved = await readFile(aside, 'utf8').catch(() => text)
  if (moved !== text) await linked(aside, file)
  await rm(aside, { force: true })
}

async function demandDead(text: string, stateDir: string): Promise<void> {
  const parsed = Holder.safeParse(parseJson(text))
  if (!parsed.success) return
  const { pid, bornAt } = parsed.data
  if (!isRunning(pid) || (await birthOf(pid)) !== bornAt) return
  throw new StackError(
    `A stack runs already in ${stateDir} (process ${String(pid)}). Stop it, or name another folder in OLYTIX_STATE_DIR.`,
  )
}

/** When a process began, in the kernel's own count; tells it from a later one with the same id. Empty if unknown. */
async function birthOf(pid: number): Promise<string> {
  const line = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => '')
  // The name, in parentheses, may hold spaces; the fields after it do not. Start time is field 22 of proc(5).
  return line.slice(line.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
