import { type FileHandle, open, stat } from 'node:fs/promises'
import path from 'node:path'
import { Secret } from '@olytix/config'
import { z } from 'zod'
import { ProfileError } from './profile-error.js'

export interface Profile {
  readonly file: string
  readonly url: string
  readonly apiKey: Secret
}

const content = z.object({ url: z.string(), api_key: z.string() })

/**
 * The profile in `file`, `{"url","api_key"}`; of a folder, its `profile.json`. `undefined` when there is none.
 * @throws ProfileError when others than its owner can read or change it, or when it is no profile.
 */
export async function readProfile(file: string): Promise<Profile | undefined> {
  const found = (await isFolder(file)) ? path.join(file, 'profile.json') : file
  const handle = await openIfThere(found)
  if (!handle) return undefined
  try {
    // Asked of the open file, so that nobody can swap it in between.
    const { mode } = await handle.stat()
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new ProfileError(
        `${found} holds an API key, but other users can get at it; run: chmod 600 ${found}`,
      )
    }
    return parseProfile(found, await handle.readFile('utf8'))
  } finally {
    await handle.close()
  }
}

function parseProfile(file: string, text: string): Profile {
  const parsed = content.safeParse(parseJson(text))
  if (!parsed.success) {
    throw new ProfileError(`${file} is no profile: expected {"url": "…", "api_key": "…"}`)
  }
  return { file, url: parsed.data.url, apiKey: new Secret(parsed.data.api_key) }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function isFolder(file: string): Promise<boolean> {
  return stat(file).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

async function openIfThere(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, 'r')
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new ProfileError(`cannot read the profile ${file}${code ? `: ${code}` : ''}`)
  }
}

function errorCode(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error
    ? String(error.code)
    : undefined
}
