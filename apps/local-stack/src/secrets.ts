import { randomBytes } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { generateApiKey } from '@olytix/auth-guards/api-key'
import { z } from 'zod'
import { errorCode } from './error-code.js'
import type { GivenSecrets } from './settings.js'

/** Everything random about one stack. Made once, kept in one file of mode 0600. */
export const StackSecrets = z.object({
  superuserPassword: z.string(),
  ownerPassword: z.string(),
  identityPassword: z.string(),
  queryPassword: z.string(),
  readerPassword: z.string(),
  builderPassword: z.string(),
  masterKey: z.string(),
  maskingKey: z.string(),
  serviceToken: z.string(),
  adminEmail: z.string(),
  adminPassword: z.string(),
  adminApiKey: z.string(),
  /** Whether identity has started with this admin: from then on what the environment says of one is ignored. */
  adminExists: z.boolean(),
})
export type StackSecrets = z.output<typeof StackSecrets>

export function makeSecrets(): StackSecrets {
  return {
    superuserPassword: random(),
    ownerPassword: random(),
    identityPassword: random(),
    queryPassword: random(),
    readerPassword: random(),
    builderPassword: random(),
    masterKey: random(),
    maskingKey: random(),
    serviceToken: random(),
    adminEmail: 'admin@localhost.localdomain',
    adminPassword: random(),
    adminApiKey: generateApiKey(randomBytes).secret,
    adminExists: false,
  }
}

/** The secrets of a stack: those of the first start, except what the environment sets itself. */
export async function openSecrets(stateDir: string, given: GivenSecrets): Promise<StackSecrets> {
  const kept = await readSecrets(stateDir)
  const secrets = kept.adminExists ? kept : { ...kept, ...givenAdmin(given, kept) }
  await writeSecrets(stateDir, secrets)
  return {
    ...secrets,
    masterKey: given.masterKey?.reveal() ?? secrets.masterKey,
    maskingKey: given.maskingKey?.reveal() ?? secrets.maskingKey,
  }
}

/** Records that the admin of the secrets is in identity's database now. */
export async function rememberAdmin(stateDir: string): Promise<void> {
  await writeSecrets(stateDir, { ...(await readSecrets(stateDir)), adminExists: true })
}

function givenAdmin(given: GivenSecrets, made: StackSecrets): Partial<StackSecrets> {
  return {
    adminEmail: given.adminEmail ?? made.adminEmail,
    adminPassword: given.adminPassword?.reveal() ?? made.adminPassword,
    adminApiKey: given.adminApiKey?.reveal() ?? made.adminApiKey,
  }
}

/** What the file holds, and new secrets for what it does not: all at first, later those of a newer version. */
async function readSecrets(stateDir: string): Promise<StackSecrets> {
  const text = await readFile(fileIn(stateDir), 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return '{}'
    throw error
  })
  const kept = z.record(z.string(), z.unknown()).parse(JSON.parse(text))
  return StackSecrets.parse({ ...makeSecrets(), ...kept })
}

async function writeSecrets(stateDir: string, secrets: StackSecrets): Promise<void> {
  await writePrivately(fileIn(stateDir), JSON.stringify(secrets, null, 2))
}

function fileIn(stateDir: string): string {
  return path.join(stateDir, 'secrets.json')
}

/** 256 bits as text that needs no escaping anywhere. */
function random(): string {
  return randomBytes(32).toString('base64url')
}

/** Writes a file that only its owner may read, whole or not at all. */
export async function writePrivately(file: string, text: string): Promise<void> {
  const scratch = `${file}.${String(process.pid)}`
  await writeFile(scratch, text, { mode: 0o600 })
  await rename(scratch, file)
}
