import {
  Database,
  type DatabasePlan,
  ident,
  installRowSecurity,
  prepareServer,
  sql,
} from '@olytix/postgres'
import type { StackSecrets } from './secrets.js'

const OWNER_ROLE = 'olytix_owner'
const READER_ROLE = 'olytix_reader'

export type DatabasePasswords = Pick<
  StackSecrets,
  'ownerPassword' | 'identityPassword' | 'queryPassword' | 'readerPassword'
>

/** Where the three databases are, for the role that owns one and for the service that works in it. */
export interface DatabaseUrls {
  readonly identity: DatabaseUrl
  readonly query: DatabaseUrl
  /** Its service role may only read. */
  readonly warehouse: DatabaseUrl
}

interface DatabaseUrl {
  readonly service: string
  readonly owner: string
}

/**
 * Makes the databases and roles that are missing, and lets the reader read whatever the owner will create in the
 * warehouse, in any schema. The warehouse gets the functions that row security of its own would ask.
 * @param serverUrl of a role that may create databases and roles
 */
export async function prepareDatabases(
  serverUrl: string,
  passwords: DatabasePasswords,
): Promise<DatabaseUrls> {
  await prepareServer(serverUrl, Object.values(planDatabases(passwords)))
  const urls = databaseUrls(serverUrl, passwords)
  const warehouse = new Database({ url: urls.warehouse.owner, maxConnections: 1 })
  try {
    const reader = ident(READER_ROLE)
    await warehouse.execute(sql`alter default privileges grant usage on schemas to ${reader}`)
    await warehouse.execute(sql`alter default privileges grant select on tables to ${reader}`)
    await installRowSecurity(warehouse)
  } finally {
    await warehouse.close()
  }
  return urls
}

/** Where the databases will be, before or after they are made. */
export function databaseUrls(serverUrl: string, passwords: DatabasePasswords): DatabaseUrls {
  const plans = planDatabases(passwords)
  return {
    identity: urlsOf(serverUrl, plans.identity),
    query: urlsOf(serverUrl, plans.query),
    warehouse: urlsOf(serverUrl, plans.warehouse),
  }
}

function planDatabases(passwords: DatabasePasswords): Record<keyof DatabaseUrls, DatabasePlan> {
  const owner = { ownerRole: OWNER_ROLE, ownerPassword: passwords.ownerPassword }
  return {
    identity: {
      ...owner,
      database: 'olytix_identity',
      serviceRole: 'olytix_identity',
      servicePassword: passwords.identityPassword,
    },
    query: {
      ...owner,
      database: 'olytix_query',
      serviceRole: 'olytix_query',
      servicePassword: passwords.queryPassword,
    },
    warehouse: {
      ...owner,
      database: 'olytix_warehouse',
      serviceRole: READER_ROLE,
      servicePassword: passwords.readerPassword,
    },
  }
}

function urlsOf(serverUrl: string, plan: DatabasePlan): DatabaseUrl {
  const urlFor = (user: string, password: string): string => {
    const url = new URL(serverUrl)
    url.username = user
    url.password = password
    url.pathname = `/${plan.database}`
    return url.href
  }
  return {
    owner: urlFor(plan.ownerRole, plan.ownerPassword),
    service: urlFor(plan.serviceRole, plan.servicePassword),
  }
}
