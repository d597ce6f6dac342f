import { chmod, mkdir, readdir, stat } from 'node:fs/promises'
import { errorMessage } from './error-code.js'
import { StackError } from './stack-error.js'

/** A folder that holds one of these is the state folder of a stack already. */
const OURS = ['secrets.json', 'start.lock', 'postgres', 'logs']

/**
 * Makes the state folder, or takes over the one of an earlier start: mode 0700, owned by whoever starts the stack.
 * @throws StackError when the folder belongs to someone else or is used for something else
 */
export async function openStateDir(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const { uid, mode } = await stat(folder)
    if (uid !== process.getuid?.()) {
      throw new StackError(`it belongs to the user with id ${String(uid)}`)
    }
    if ((mode & 0o077) === 0) return
    const entries = await readdir(folder)
    if (entries.length > 0 && !entries.some((entry) => OURS.includes(entry))) {
      throw new StackError('others may read it and it holds something else')
    }
    await chmod(folder, 0o700)
  } catch (error) {
    throw new StackError(
      `The state folder ${folder} cannot be used: ${errorMessage(error)}. Name another in OLYTIX_STATE_DIR.`,
      error,
    )
  }
}
