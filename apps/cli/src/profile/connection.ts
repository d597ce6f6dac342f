import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { loadConfig, Secret, secret } from '@olytix/config'
import { z } from 'zod'
import { findProfile, type Surroundings } from './find-profile.js'
import { ProfileError } from './profile-error.js'
import { type Profile, readProfile } from './read-profile.js'

export interface ConnectionFlags {
  readonly url?: string | undefined
  /** A profile file, or a folder with a `profile.json`. */
  readonly profile?: string | undefined
  readonly apiKeyFile?: string | undefined
}

export interface Connection {
  readonly url: URL
  readonly apiKey: Secret
  /** Where the key came from, to say so when the server refuses it. */
  readonly keySource: string
}

interface Offer {
  readonly url: string | undefined
  readonly key: { readonly value: Secret; readonly source: string } | undefined
}

const settings = z.object({
  OLYTIX_URL: z.string().optional(),
  OLYTIX_API_KEY: secret().optional(),
  OLYTIX_STATE_DIR: z.string().optional(),
  XDG_CONFIG_HOME: z.string().optional(),
})

const DEFAULT_URL = 'http://localhost:8000'

/**
 * Server and credential: flags, then a profile named by flag; else the environment, then the profile that is found.
 * A profile's key belongs to the profile's server and is never sent to another one.
 * @throws ProfileError
 */
export async function resolveConnection(
  flags: ConnectionFlags,
  surroundings: Surroundings,
): Promise<Connection> {
  const config = loadConfig(settings, surroundings.environment)
  const given: Offer = {
    url: flags.url ?? (flags.profile ? undefined : config.OLYTIX_URL),
    key: await givenKey(flags, config.OLYTIX_API_KEY, surroundings.folder),
  }
  if (given.url !== undefined && given.key) return toConnection(given.url, given.key)

  const profile = flags.profile
    ? await namedProfile(path.resolve(surroundings.folder, flags.profile))
    : await findProfile(
        { stateFolder: config.OLYTIX_STATE_DIR, configHome: config.XDG_CONFIG_HOME },
        surroundings,
      )
  const url = given.url ?? profile?.url ?? DEFAULT_URL
  return toConnection(url, given.key ?? profileKey(profile, parseUrl(url)))
}

async function givenKey(
  flags: ConnectionFlags,
  fromEnvironment: Secret | undefined,
  folder: string,
): Promise<Offer['key']> {
  if (flags.apiKeyFile !== undefined) {
    const value = await readKeyFile(path.resolve(folder, flags.apiKeyFile))
    return { value, source: flags.apiKeyFile }
  }
  if (flags.profile !== undefined || !fromEnvironment) return undefined
  return { value: fromEnvironment, source: 'OLYTIX_API_KEY' }
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

function profileKey(profile: Profile | undefined, url: URL): NonNullable<Offer['key']> {
  if (!profile) {
    throw new ProfileError(
      'no API key: name its file with --api-key-file, set OLYTIX_API_KEY, or run where `npm start` has left a profile',
    )
  }
  if (!sameServer(parseUrl(profile.url), url)) {
    throw new ProfileError(
      `the key in ${profile.file} belongs to ${profile.url} and is not sent to ${url.href}; name another with --api-key-file or OLYTIX_API_KEY`,
    )
  }
  return { value: profile.apiKey, source: profile.file }
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

function toConnection(url: string, key: NonNullable<Offer['key']>): Connection {
  // What cannot stand in a header cannot be a key either.
  if (!/^[\x21-\x7e]+$/.test(key.value.reveal())) {
    throw new ProfileError(`${key.source} holds no API key`)
  }
  return { url: parseUrl(url), apiKey: key.value, keySource: key.source }
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
