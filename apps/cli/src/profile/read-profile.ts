import { type FileHandle, open, stat } from 'node:fs/promises'
import path from 'node:path'
import { Secret } from '@olytix/config'
import { z } from 'zod'
import { errorCode, ProfileError } from './profile-error.js'

/** A server and what to present there: an API key, a session, or both; then the session counts. */
export interface ProfileContent {
  readonly url: string
  readonly apiKey?: Secret | undefined
  readonly session?: StoredSession | undefined
}

export interface Profile extends ProfileContent {
  readonly file: string
}

/** What `auth login` got. */
export interface StoredSession {
  /** Who signed in. */
  readonly email: string
  readonly accessToken: Secret
  /** When the access token ends. */
  readonly expiresAt: Date
  readonly refreshToken: Secret
}

const content = z
  .object({
    url: z.string(),
    api_key: z.string().optional(),
    session: z
      .object({
        email: z.string(),
        access_token: z.string(),
        expires_at: z.iso.datetime(),
        refresh_token: z.string(),
      })
      .optional(),
  })
  .refine((profile) => profile.api_key !== undefined || profile.session !== undefined)

/**
 * The profile in `file`, `{"url","api_key","session"}`; of a folder, its `profile.json`. `undefined` when there is none.
 * @throws ProfileError when others than its owner can read or change it, or when it is no profile.
 */
export async function readProfile(file: string): Promise<Profile | undefined> {
  const found = await profileFileAt(file)
  const handle = await openIfThere(found)
  if (!handle) return undefined
  try {
    // Asked of the open file, so that nobody can swap it in between.
    const { mode } = await handle.stat()
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new ProfileError(
        `${found} holds secrets, but other users can get at it; run: chmod 600 ${found}`,
      )
    }
    return { file: found, ...parseProfile(found, await handle.readFile('utf8')) }
  } finally {
    await handle.close()
  }
}

/** `place` itself, or the `profile.json` in it when it is a folder. */
export async function profileFileAt(place: string): Promise<string> {
  const isFolder = await stat(place).then(
    (found) => found.isDirectory(),
    () => false,
  )
  return isFolder ? path.join(place, 'profile.json') : place
}

/** The text of a profile, which `readProfile` reads back. */
export function profileText({ url, apiKey, session }: ProfileContent): string {
  const written: z.input<typeof content> = {
    url,
    ...(apiKey ? { api_key: apiKey.reveal() } : {}),
    ...(session
      ? {
          session: {
            email: session.email,
            access_token: session.accessToken.reveal(),
            expires_at: session.expiresAt.toISOString(),
            refresh_token: session.refreshToken.reveal(),
          },
        }
      : {}),
  }
  return `${JSON.stringify(written, null, 2)}\n`
}

function parseProfile(file: string, text: string): ProfileContent {
  const parsed = content.safeParse(parseJson(text))
  if (!parsed.success) {
    throw new ProfileError(`${file} is no profile: expected {"url": "…", "api_key": "…"}`)
  }
  const { url, api_key: apiKey, session } = parsed.data
  return {
    url,
    ...(apiKey === undefined ? {} : { apiKey: new Secret(apiKey) }),
    ...(session
      ? {
          session: {
            email: session.email,
            accessToken: new Secret(session.access_token),
            expiresAt: new Date(session.expires_at),
            refreshToken: new Secret(session.refresh_token),
          },
        }
      : {}),
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
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
