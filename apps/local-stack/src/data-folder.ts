import { randomBytes } from 'node:crypto'
import { access, chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { REACHABLE_FOLDER, unprivilegedUser } from '@olytix/postgres'
import { isRunning } from './process-id.js'

/**
 * Where PostgreSQL keeps the data of a stack. Root's PostgreSQL runs under another account, which must not get into the
 * state folder with its secrets: its data lies in a folder below REACHABLE_FOLDER that the state folder remembers.
 */
export async function placeData(stateDir: string): Promise<string> {
  const { uid } = await unprivilegedUser()
  if (uid === undefined) return path.join(stateDir, 'postgres')
  await removeAbandoned()
  const pointer = pointerIn(stateDir)
  const known = (await readFile(pointer, 'utf8').catch(() => '')).trim()
  if (known && (await exists(known))) return path.join(known, 'data')
  const folder = path.join(REACHABLE_FOLDER, `stack-${randomBytes(6).toString('hex')}`)
  await mkdir(folder, { recursive: true })
  // Whatever the umask: the account must get through, and need not look around.
  await chmod(REACHABLE_FOLDER, 0o755)
  await chmod(folder, 0o711)
  await writeFile(path.join(folder, 'state-dir'), stateDir, { mode: 0o600 })
  await writeFile(pointer, folder, { mode: 0o600 })
  return path.join(folder, 'data')
}

/**
 * Whoever deletes a state folder means its data as well. Only if the folder above is there: an unmounted disk is no
 * deletion.
 */
async function removeAbandoned(): Promise<void> {
  const entries = await readdir(REACHABLE_FOLDER).catch(() => [])
  for (const entry of entries.filter((name) => name.startsWith('stack-'))) {
    const folder = path.join(REACHABLE_FOLDER, entry)
    const stateDir = await readFile(path.join(folder, 'state-dir'), 'utf8').catch(() => undefined)
    if (stateDir === undefined || (await exists(stateDir))) continue
    if (!(await exists(path.dirname(stateDir)))) continue
    const owner = await readFile(path.join(folder, 'data/postmaster.pid'), 'utf8').catch(() => '')
    if (isRunning(Number.parseInt(owner))) continue
    await rm(folder, { recursive: true, force: true })
  }
}

function pointerIn(stateDir: string): string {
  return path.join(stateDir, 'postgres-folder')
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}
