import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { migrate } from '../migrate.js'
import { type DatabasePlan, prepareServer } from '../server-roles.js'

/** A database of its own for one test file, with an owner and a service role that exist only for it. */
export interface TestDatabase {
  /** Of the role that a service logs in with. */
  readonly url: string
  readonly ownerUrl: string
  readonly serviceRole: string
  /** Drops the database and its roles. */
  drop(): Promise<void>
}

/**
 * Makes an empty database on the server of `OLYTIX_TEST__DATABASE_URL` (`npm test` starts one).
 * @param serviceRole the fixed role that migrations grant to; a role of its own if left out
 */
export async function createTestDatabase(
  options: { readonly migrations?: string; readonly serviceRole?: string } = {},
): Promise<TestDatabase> {
  const server = process.env['OLYTIX_TEST__DATABASE_URL']
  if (!server) throw new Error('OLYTIX_TEST__DATABASE_URL is not set: run the tests through npm')
  const id = randomBytes(6).toString('hex')
  const plan: DatabasePlan = {
    database: `test_${id}`,
    ownerRole: `test_${id}_owner`,
    ownerPassword: id,
    serviceRole: options.serviceRole ?? `test_${id}_service`,
    // A shared role keeps one password, so that parallel test files do not lock each other out.
    servicePassword: options.serviceRole ? 'test' : id,
  }
  await withClient(server, async (client) => {
    // Roles belong to the whole server: files that share one take turns making it.
    await client.query('select pg_advisory_lock(1)')
    await prepareServer(server, [plan])
  })
  const ownerUrl = urlFor(server, plan.ownerRole, plan.ownerPassword, plan.database)
  if (options.migrations) await migrate(ownerUrl, options.migrations)
  return {
    url: urlFor(server, plan.serviceRole, plan.servicePassword, plan.database),
    ownerUrl,
    serviceRole: plan.serviceRole,
    drop: () => dropDatabase(server, plan, options.serviceRole === undefined),
  }
}

async function dropDatabase(
  server: string,
  plan: DatabasePlan,
  ownService: boolean,
): Promise<void> {
  await withClient(server, async (client) => {
    await client.query(`drop database if exists ${plan.database} with (force)`)
    await client.query(`drop role if exists ${plan.ownerRole}`)
    if (ownService) await client.query(`drop role if exists ${plan.serviceRole}`)
  })
}

async function withClient(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}

function urlFor(server: string, user: string, password: string, database: string): string {
  const url = new URL(server)
  url.username = user
  url.password = password
  url.pathname = `/${database}`
  return url.href
}
