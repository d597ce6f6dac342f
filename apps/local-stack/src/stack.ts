import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { type DatabaseUrls, prepareDatabases } from './databases.js'
import { placeData } from './data-folder.js'
import { loadExample } from './example.js'
import { startPostgres } from './local-postgres.js'
import type { Progress } from './progress.js'
import type { Running } from './running.js'
import { openSecrets, rememberAdmin, type StackSecrets } from './secrets.js'
import { identityEnvironment, queryApiEnvironment } from './service-environment.js'
import { startService } from './service-process.js'
import type { Settings } from './settings.js'
import { type StackDescription, writeProfile, writeStackFile } from './stack-files.js'

/** A stack that answers. */
export interface Stack {
  readonly description: StackDescription
  /** Whether the admin's key of this state folder opens it: the database may have had an admin before. */
  readonly isKeyAccepted: boolean
}

/** What starting needs. Each part is pushed on `parts` as soon as it runs, so that whoever calls can stop it. */
export interface StartContext {
  readonly settings: Settings
  readonly progress: Progress
  readonly parts: Running[]
  readonly stopRequested: AbortSignal
}

/**
 * Starts PostgreSQL, databases, example data, identity and query-api, in this order, and describes the stack in the
 * state folder.
 * @throws StackError for what people can put right; the abort reason once a stop is requested
 */
export async function startStack(context: StartContext): Promise<Stack> {
  const { settings, progress } = context
  await mkdir(path.join(settings.stateDir, 'logs'), { recursive: true, mode: 0o700 })
  const secrets = await openSecrets(settings.stateDir, settings.given)
  const server = await openServer(context, secrets)
  context.stopRequested.throwIfAborted()
  const databases = await progress.step('Databases and roles', () =>
    prepareDatabases(server.url, secrets),
  )
  context.stopRequested.throwIfAborted()
  await ensureExample(context, databases)
  context.stopRequested.throwIfAborted()
  const services = await startServices(context, secrets, databases)
  const description: StackDescription = {
    query_api_url: services.queryApi.url,
    identity_address: services.identity.address,
    warehouse_url: settings.warehouseUrl?.reveal() ?? databases.warehouse.owner,
    admin_email: secrets.adminEmail,
    admin_password: secrets.adminPassword,
    admin_api_key: secrets.adminApiKey,
    pids: {
      start: process.pid,
      identity: services.identity.pid,
      query_api: services.queryApi.pid,
      postgres: server.pid,
    },
  }
  const isKeyAccepted = await isAccepted(services.queryApi.url, secrets.adminApiKey)
  await writeProfile(settings.stateDir, services.queryApi.url, secrets.adminApiKey)
  await writeStackFile(settings.stateDir, description)
  return { description, isKeyAccepted }
}

async function openServer(
  { settings, progress, parts }: StartContext,
  secrets: StackSecrets,
): Promise<{ url: string; pid: number }> {
  if (settings.postgresUrl) {
    progress.say('  PostgreSQL: the server of OLYTIX_POSTGRES__URL')
    return { url: settings.postgresUrl.reveal(), pid: 0 }
  }
  return progress.step('PostgreSQL', async (remark) => {
    const dataDir = await placeData(settings.stateDir)
    const logFile = logOf(settings, 'postgres')
    const server = await startPostgres(dataDir, secrets.superuserPassword, logFile)
    parts.push(server)
    remark(`data in ${dataDir}`)
    return server
  })
}

async function ensureExample(
  { settings, progress }: StartContext,
  databases: DatabaseUrls,
): Promise<void> {
  if (settings.warehouseUrl) {
    progress.say('  Warehouse: the database of OLYTIX_WAREHOUSE__URL; no example is loaded')
    return
  }
  await progress.step('Superstore example', async (remark) => {
    const rows = await loadExample(databases.warehouse.owner)
    remark(rows > 0 ? `${rows.toLocaleString('en')} order lines loaded` : 'there already')
  })
}

async function startServices(
  { settings, progress, parts, stopRequested }: StartContext,
  secrets: StackSecrets,
  databases: DatabaseUrls,
): Promise<{
  identity: { address: string; pid: number }
  queryApi: { url: string; pid: number }
}> {
  const start = (name: string, environment: NodeJS.ProcessEnv) =>
    progress.step(name, async (remark) => {
      const script = path.join(settings.root, 'apps', name, 'dist/main.js')
      const logFile = logOf(settings, name)
      const service = await startService({ name, script, environment, logFile, stopRequested })
      parts.push(service)
      const address = await service.ready()
      remark(address)
      return { address, pid: service.pid }
    })
  const identity = await start(
    'identity',
    identityEnvironment(settings, secrets, databases.identity),
  )
  await rememberAdmin(settings.stateDir)
  const queryApi = await start(
    'query-api',
    queryApiEnvironment(settings, secrets, {
      identityAddress: reachable(identity.address),
      databases,
    }),
  )
  const url = `http://${reachable(queryApi.address, 'localhost')}`
  return { identity, queryApi: { url, pid: queryApi.pid } }
}

/** Where to connect to what listens at `address`: a wildcard is no destination. */
function reachable(address: string, loopback = '127.0.0.1'): string {
  return address.replace(/^(0\.0\.0\.0|\[::\]|127\.0\.0\.1)(?=:\d+$)/, loopback)
}

async function isAccepted(url: string, apiKey: string): Promise<boolean> {
  const answer = await fetch(new URL('/api/v1/auth/me', url), {
    headers: { authorization: `Bearer ${apiKey}` },
    signal: AbortSignal.timeout(10_000),
  })
  return answer.status !== 401
}

function logOf({ stateDir }: Settings, name: string): string {
  return path.join(stateDir, 'logs', `${name}.log`)
}
