import { randomUUID } from 'node:crypto'
import { link, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { errorCode, ProfileError } from './profile-error.js'

/** Longer than anything that is done under a lock: then its owner is gone. */
const STALE_MS = 60_000
const PATIENCE_MS = 90_000
const PAUSE_MS = 20

/**
 * Runs `work` while no other process does the same for the same file. The lock is `<file>.lock`; one whose owner has
 * died is taken over.
 * @throws ProfileError when the lock cannot be had
 */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const lock = `${file}.lock`
  const ours = `${String(process.pid)} ${hostname()} ${randomUUID()}`
  await acquire(lock, ours)
  try {
    return await work()
  } finally {
    // Taken over by somebody who thought us dead: then it is not ours to remove.
    if ((await readIfThere(lock)) === ours) await unlink(lock).catch(() => undefined)
  }
}

async function acquire(lock: string, ours: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS
  while (!(await create(lock, ours))) {
    const seen = await readIfThere(lock)
    if (seen !== undefined && (await isDead(lock, seen))) await takeAway(lock, seen)
    else if (Date.now() > deadline) {
      throw new ProfileError(`another olytix-core is busy with the profile: it holds ${lock}`)
    } else await pause(PAUSE_MS)
  }
}

async function create(lock: string, ours: string): Promise<boolean> {
  try {
    await writeFile(lock, ours, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    const code = errorCode(error)
    if (code === 'EEXIST') return false
    throw new ProfileError(`cannot write ${lock}${code ? `: ${code}` : ''}`)
  }
}

async function isDead(lock: string, content: string): Promise<boolean> {
  const [pid, host] = content.split(' ')
  if (host === hostname() && !isRunning(Number(pid))) return true
  const found = await stat(lock).catch(() => undefined)
  return found !== undefined && Date.now() - found.mtimeMs > STALE_MS
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return errorCode(error) !== 'ESRCH'
  }
}

/**
 * Renaming lets one process alone remove the dead lock. If it has been replaced by a living one since it was seen, it
 * is put back; should a third process have come in between, both hold it, which the server's grace for a refresh
 * token that is used twice makes harmless.
 */
async function takeAway(lock: string, seen: string): Promise<void> {
  const aside = `${lock}.${randomUUID()}`
  try {
    await rename(lock, aside)
  } catch {
    return
  }
  if ((await readIfThere(aside)) !== seen) await link(aside, lock).catch(() => undefined)
  await unlink(aside)
}

async function readIfThere(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined)
}
