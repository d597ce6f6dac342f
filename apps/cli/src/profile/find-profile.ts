import { lstat, stat } from 'node:fs/promises'
import path from 'node:path'
import { type Profile, readProfile } from './read-profile.js'

/** Where a command runs. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The working folder. */
  readonly folder: string
  readonly home: string
  /** Undefined where the system has no such thing. */
  readonly userId: number | undefined
}

export interface ProfileFolders {
  /** `OLYTIX_STATE_DIR`. */
  readonly stateFolder: string | undefined
  /** `XDG_CONFIG_HOME`. */
  readonly configHome: string | undefined
}

/**
 * The profile of the state folder, else of the nearest `.olytix/` upward that the user owns, else of the XDG config
 * folder. A `.olytix/` of somebody else (in a shared /tmp, say) could name a server of theirs: it is passed over.
 * @throws ProfileError when the one that is found is not usable.
 */
export async function findProfile(
  { stateFolder, configHome }: ProfileFolders,
  surroundings: Surroundings,
): Promise<Profile | undefined> {
  const { folder, home } = surroundings
  if (stateFolder) {
    const profile = await readProfile(path.resolve(folder, stateFolder, 'profile.json'))
    if (profile) return profile
  }
  for (const parent of upward(path.resolve(folder))) {
    const candidate = path.join(parent, '.olytix')
    if (!(await isOwn(candidate, surroundings.userId))) continue
    const profile = await readProfile(path.join(candidate, 'profile.json'))
    if (profile) return profile
  }
  return readProfile(configFile(configHome, home))
}

/** Where a profile is made when none is found: in the state folder, else in the XDG config folder. */
export function newProfileFile(
  { stateFolder, configHome }: ProfileFolders,
  { folder, home }: Surroundings,
): string {
  return stateFolder
    ? path.resolve(folder, stateFolder, 'profile.json')
    : configFile(configHome, home)
}

function configFile(configHome: string | undefined, home: string): string {
  return path.join(configHome ?? path.join(home, '.config'), 'olytix-core', 'profile.json')
}

function* upward(folder: string): Generator<string> {
  for (let next = folder; ; next = path.dirname(next)) {
    yield next
    if (next === path.dirname(next)) return
  }
}

/** A link counts as its owner's, so both the link and what it points to must be the user's. */
async function isOwn(folder: string, userId: number | undefined): Promise<boolean> {
  try {
    const [link, target] = await Promise.all([lstat(folder), stat(folder)])
    const owned = userId === undefined || (link.uid === userId && target.uid === userId)
    return target.isDirectory() && owned
  } catch {
    return false
  }
}
