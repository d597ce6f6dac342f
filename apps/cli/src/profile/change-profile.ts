import { randomUUID } from 'node:crypto'
import { mkdir, open, realpath, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { withLock } from './lock-file.js'
import { errorCode, ProfileError } from './profile-error.js'
import { type Profile, type ProfileContent, profileText, readProfile } from './read-profile.js'

/**
 * Replaces a profile as a whole, with mode 0600, while no other olytix-core process changes it. `change` sees what
 * the file holds now and gives what it shall hold; `undefined` removes the file, the same object leaves it alone.
 * @returns what the file holds afterwards
 * @throws ProfileError when it cannot be read or written
 */
export async function changeProfile(
  file: string,
  change: (
    before: Profile | undefined,
  ) => ProfileContent | undefined | Promise<ProfileContent | undefined>,
): Promise<ProfileContent | undefined> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 }).catch(cannotWrite(file))
  // Behind a link stands the one file that all its names share, with one lock.
  const real = await realpath(file).catch(() => file)
  return withLock(real, async () => {
    const before = await readProfile(real)
    const after = await change(before)
    if (after === before) return after
    await (after ? replace(real, profileText(after)) : rm(real, { force: true })).catch(
      cannotWrite(file),
    )
    return after
  })
}

/** Readers see the old text or the new one, never a part. */
async function replace(file: string, text: string): Promise<void> {
  const beside = `${file}.${randomUUID()}`
  try {
    const handle = await open(beside, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(beside, file)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
}

function cannotWrite(file: string): (error: unknown) => never {
  return (error) => {
    const code = errorCode(error)
    throw new ProfileError(`cannot write the profile ${file}${code ? `: ${code}` : ''}`)
  }
}
