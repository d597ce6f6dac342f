import { readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { writePrivately } from './secrets.js'

/** `stack.json`: how tools and tests find a running stack. It exists exactly as long as the stack answers. */
export interface StackDescription {
  readonly query_api_url: string
  readonly identity_address: string
  /** Of the warehouse's owner. */
  readonly warehouse_url: string
  readonly admin_email: string
  readonly admin_password: string
  readonly admin_api_key: string
  readonly pids: {
    readonly start: number
    readonly identity: number
    readonly query_api: number
    /** 0 when the server of OLYTIX_POSTGRES__URL is used. */
    readonly postgres: number
  }
}

export async function writeStackFile(stateDir: string, stack: StackDescription): Promise<void> {
  await writePrivately(stackFileIn(stateDir), `${JSON.stringify(stack, null, 2)}\n`)
}

export async function removeStackFile(stateDir: string): Promise<void> {
  await rm(stackFileIn(stateDir), { force: true })
}

/** The CLI's profile: where the API is and the first admin's key. What else the CLI keeps there stays. */
export async function writeProfile(stateDir: string, url: string, apiKey: string): Promise<void> {
  const file = path.join(stateDir, 'profile.json')
  const kept = await readObject(file)
  const profile = { ...kept, url, api_key: apiKey }
  await writePrivately(file, `${JSON.stringify(profile, null, 2)}\n`)
}

/** A file that is missing or damaged holds nothing. */
async function readObject(file: string): Promise<Record<string, unknown>> {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(await readFile(file, 'utf8')))
  } catch {
    return {}
  }
}

function stackFileIn(stateDir: string): string {
  return path.join(stateDir, 'stack.json')
}
