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
const BUILDER_ROLE = 'olytix_builder'
const WAREHOUSE = 'olytix_warehouse'

export type DatabasePasswords = Pick<
  StackSecrets,
  'ownerPassword' | 'identityPassword' | 'queryPassword' | 'readerPassword' | 'builderPassword'
>

/** Where the three databases are, for the role that owns one and for the service that works in it. */
export interface DatabaseUrls {
  readonly identity: DatabaseUrl
  readonly query: DatabaseUrl
  /** Its service role may only read. */
  readonly warehouse: DatabaseUrl
  /** The warehouse again: its service role builds models, in schemas of its own. */
  readonly models: DatabaseUrl
}

interface DatabaseUrl {
  readonly service: string
  readonly owner: string
}

/**
 * Makes the databases and roles that are missing. The reader may read whatever the owner or the builder will create in
 * the warehouse, in any schema; the builder may make schemas, and read what the reader may. The warehouse gets the
 * functions that row security of its own would ask.
 * @param serverUrl of a role that may create databases and roles
 */
export async function prepareDatabases(
  serverUrl: string,
  passwords: DatabasePasswords,
): Promise<DatabaseUrls> {
  await prepareServer(serverUrl, Object.values(planDatabases(passwords)))
  const urls = databaseUrls(serverUrl, passwords)
  await connected(urls.warehouse.owner, async (owner) => {
    await openNewTables(owner, READER_ROLE)
    await openNewTables(owner, BUILDER_ROLE)
    await letBuild(owner)
    await installRowSecurity(owner)
  })
  await connected(urls.models.service, (builder) => openNewTables(builder, READER_ROLE))
  return urls
}

/** Whatever who is logged in will create, another role may read. */
async function openNewTables(creator: Database, role: string): Promise<void> {
  const reader = ident(role)
  await creator.execute(sql`alter default privileges grant usage on schemas to ${reader}`)
  await creator.execute(sql`alter default privileges grant select on tables to ${reader}`)
}

/** Tables that were there before the builder was: it may read those of the owner that the reader may. */
async function letBuild(owner: Database): Promise<void> {
  await owner.execute(
    sql`grant create, temporary on database ${ident(WAREHOUSE)} to ${ident(BUILDER_ROLE)}`,
  )
  await owner.execute(sql`
    do $$
    declare
      each record;
    begin
      for each in
        select distinct n.nspname, c.relname
        from pg_class as c
        join pg_namespace as n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relowner = current_user::regrole
          and n.nspowner = current_user::regrole
          and has_table_privilege('olytix_reader', c.oid, 'select')
          and not has_table_privilege('olytix_builder', c.oid, 'select')
      loop
        execute format('grant usage on schema %I to olytix_builder', each.nspname);
        execute format('grant select on %I.%I to olytix_builder', each.nspname, each.relname);
      end loop;
    end $$`)
}

async function connected(url: string, work: (database: Database) => Promise<void>): Promise<void> {
  const database = new Database({ url, maxConnections: 1 })
  try {
    await work(database)
  } finally {
    await database.close()
  }
}

/** Where the databases will be, before or after they are made. */
export function databaseUrls(serverUrl: string, passwords: DatabasePasswords): DatabaseUrls {
  const plans = planDatabases(passwords)
  return {
    identity: urlsOf(serverUrl, plans.identity),
    query: urlsOf(serverUrl, plans.query),
    warehouse: urlsOf(serverUrl, plans.warehouse),
    models: urlsOf(serverUrl, plans.models),
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
      database: WAREHOUSE,
      serviceRole: READER_ROLE,
      servicePassword: passwords.readerPassword,
    },
    models: {
      ...owner,
      database: WAREHOUSE,
      serviceRole: BUILDER_ROLE,
      servicePassword: passwords.builderPassword,
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
