import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { loadConfig, Secret, secret } from '@olytix/config'
import { z } from 'zod'
import {
  findProfile,
  newProfileFile,
  type ProfileFolders,
  type Surroundings,
} from './find-profile.js'
import { ProfileError } from './profile-error.js'
import { type Profile, profileFileAt, readProfile, type StoredSession } from './read-profile.js'

export interface ConnectionFlags {
  readonly url?: string | undefined
  /** A profile file, or a folder with a `profile.json`. */
  readonly profile?: string | undefined
  readonly apiKeyFile?: string | undefined
}

/** A server and what to present there. */
export interface Connection {
  readonly url: URL
  readonly held: HeldKey | HeldSession
}

export interface HeldKey {
  readonly key: Secret
  /** Where the key came from, to say so when the server refuses it. */
  readonly source: string
}

export interface HeldSession {
  readonly session: StoredSession
  /** The profile that keeps it. */
  readonly file: string
}

/** A server, and the profile that keeps or shall keep what somebody signs in with there. */
export interface Server {
  readonly url: URL
  readonly profileFile: string
  /** What the file holds; `undefined` when it does not exist. */
  readonly profile: Profile | undefined
  /** A credential that goes before the profile's, as in `OLYTIX_API_KEY`. */
  readonly override: string | undefined
}

const settings = z.object({
  OLYTIX_URL: z.string().optional(),
  OLYTIX_API_KEY: secret().optional(),
  OLYTIX_STATE_DIR: z.string().optional(),
  XDG_CONFIG_HOME: z.string().optional(),
})
type Settings = ReturnType<typeof loadConfig<typeof settings.shape>>

const DEFAULT_URL = 'http://localhost:8000'

/**
 * Server and credential: flags, then a profile named by flag; else the environment, then the profile that is found.
 * A profile's credential belongs to the profile's server and is never sent to another one.
 * @throws ProfileError
 */
export async function resolveConnection(
  flags: ConnectionFlags,
  surroundings: Surroundings,
): Promise<Connection> {
  const config = loadConfig(settings, surroundings.environment)
  const givenUrl = urlFrom(flags, config)
  const key = await givenKey(flags, config, surroundings.folder)
  if (givenUrl !== undefined && key) return withKey(parseUrl(givenUrl), key)

  const profile = flags.profile
    ? await namedProfile(path.resolve(surroundings.folder, flags.profile))
    : await findProfile(foldersOf(config), surroundings)
  const url = parseUrl(givenUrl ?? profile?.url ?? DEFAULT_URL)
  return key ? withKey(url, key) : withProfile(url, profile)
}

/**
 * Where somebody signs in, and the profile that keeps it: the one that a flag names, else the one that is found, else
 * a new one.
 * @throws ProfileError when that profile is another server's
 */
export async function resolveServer(
  flags: ConnectionFlags,
  surroundings: Surroundings,
): Promise<Server> {
  const config = loadConfig(settings, surroundings.environment)
  const { file, profile } = flags.profile
    ? await namedFile(path.resolve(surroundings.folder, flags.profile))
    : await foundFile(foldersOf(config), surroundings)
  const url = parseUrl(urlFrom(flags, config) ?? profile?.url ?? DEFAULT_URL)
  if (profile) demandSameServer(profile, url)
  const override = !flags.profile && config.OLYTIX_API_KEY ? 'OLYTIX_API_KEY' : undefined
  return { url, profile, profileFile: file, override }
}

interface ProfileFile {
  readonly file: string
  readonly profile: Profile | undefined
}

async function namedFile(place: string): Promise<ProfileFile> {
  return { file: await profileFileAt(place), profile: await readProfile(place) }
}

async function foundFile(
  folders: ProfileFolders,
  surroundings: Surroundings,
): Promise<ProfileFile> {
  const profile = await findProfile(folders, surroundings)
  return { file: profile?.file ?? newProfileFile(folders, surroundings), profile }
}

function demandSameServer(profile: Profile, url: URL): void {
  if (sameServer(parseUrl(profile.url), url)) return
  throw new ProfileError(
    `${profile.file} belongs to ${profile.url}; name another file for ${url.href} with --profile`,
  )
}

function urlFrom(flags: ConnectionFlags, config: Settings): string | undefined {
  return flags.url ?? (flags.profile ? undefined : config.OLYTIX_URL)
}

function foldersOf(config: Settings): ProfileFolders {
  return { stateFolder: config.OLYTIX_STATE_DIR, configHome: config.XDG_CONFIG_HOME }
}

async function givenKey(
  flags: ConnectionFlags,
  { OLYTIX_API_KEY: fromEnvironment }: Settings,
  folder: string,
): Promise<HeldKey | undefined> {
  if (flags.apiKeyFile !== undefined) {
    const value = await readKeyFile(path.resolve(folder, flags.apiKeyFile))
    return { key: value, source: flags.apiKeyFile }
  }
  if (flags.profile !== undefined || !fromEnvironment) return undefined
  return { key: fromEnvironment, source: 'OLYTIX_API_KEY' }
}

async function readKeyFile(file: string): Promise<Secret> {
  try {
    return new Secret((await readFile(file, 'utf8')).trim())
  } catch {
    throw new ProfileError(`cannot read the API key file ${file}`)
  }
}

async function namedProfile(file: string): Promise<Profile> {
  const profile = await readProfile(file)
  if (!profile) throw new ProfileError(`there is no profile at ${file}`)
  return profile
}

function withProfile(url: URL, profile: Profile | undefined): Connection {
  if (!profile) {
    throw new ProfileError(
      'no credential: sign in with `olytix-core auth login`, name the file of an API key with --api-key-file, set OLYTIX_API_KEY, or run where `npm start` has left a profile',
    )
  }
  const { file, session, apiKey } = profile
  if (!sameServer(parseUrl(profile.url), url)) {
    throw new ProfileError(
      `the key in ${file} belongs to ${profile.url} and is not sent to ${url.href}; name another with --api-key-file or OLYTIX_API_KEY`,
    )
  }
  if (session) return { url, held: { session, file } }
  if (!apiKey) throw new ProfileError(`${file} holds no credential`)
  return withKey(url, { key: apiKey, source: file })
}

function sameServer(one: URL, other: URL): boolean {
  return one.protocol === other.protocol && hostOf(one) === hostOf(other)
}

/** The names of this machine's loopback address count as one. */
function hostOf(url: URL): string {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  const isLoopback = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  return `${isLoopback ? 'localhost' : url.hostname}:${port}`
}

function withKey(url: URL, held: HeldKey): Connection {
  // What cannot stand in a header cannot be a key either.
  if (!/^[\x21-\x7e]+$/.test(held.key.reveal())) {
    throw new ProfileError(`${held.source} holds no API key`)
  }
  return { url, held }
}

/** With a final slash, so that paths are resolved below it. */
function parseUrl(text: string): URL {
  if (!URL.canParse(text)) throw badUrl()
  const url = new URL(text)
  const plain = url.username === '' && url.password === '' && url.search === '' && url.hash === ''
  if (!['http:', 'https:'].includes(url.protocol) || !plain) throw badUrl()
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url
}

/** Says nothing of the text: it may hold a password. */
function badUrl(): ProfileError {
  return new ProfileError(
    `the server's URL must look like ${DEFAULT_URL}, without user, password or query`,
  )
}
