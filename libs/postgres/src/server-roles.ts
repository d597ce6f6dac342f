import pg from 'pg'

/** A database of ours, the role that owns it and the role that its service logs in with. */
export interface DatabasePlan {
  readonly database: string
  readonly ownerRole: string
  readonly ownerPassword: string
  readonly serviceRole: string
  readonly servicePassword: string
}

/**
 * Makes databases and roles that are missing, and sets the passwords. Neither role is a superuser or may bypass row
 * security, and the service's role owns nothing.
 * @param url of a role that may create databases and roles
 */
export async function prepareServer(url: string, plans: readonly DatabasePlan[]): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    for (const plan of plans) {
      await ensureRole(client, plan.ownerRole, plan.ownerPassword)
      await ensureRole(client, plan.serviceRole, plan.servicePassword)
      await ensureDatabase(client, plan)
    }
  } finally {
    await client.end()
  }
}

async function ensureRole(client: pg.Client, role: string, password: string): Promise<void> {
  const { rowCount } = await client.query('select from pg_roles where rolname = $1', [role])
  const verb = rowCount === 0 ? 'create' : 'alter'
  await client.query(
    `${verb} role ${pg.escapeIdentifier(role)} login nosuperuser nobypassrls nocreaterole nocreatedb
     password ${pg.escapeLiteral(password)}`,
  )
}

async function ensureDatabase(client: pg.Client, plan: DatabasePlan): Promise<void> {
  const name = pg.escapeIdentifier(plan.database)
  const owner = pg.escapeIdentifier(plan.ownerRole)
  const { rowCount } = await client.query('select from pg_database where datname = $1', [
    plan.database,
  ])
  if (rowCount === 0) {
    // A role that is not a superuser may give a database only to a role it belongs to.
    await client.query(`grant ${owner} to current_user`)
    await client.query(`create database ${name} owner ${owner} template template0 encoding 'UTF8'`)
  }
  await client.query(`revoke all on database ${name} from public`)
  await client.query(
    `grant connect on database ${name} to ${pg.escapeIdentifier(plan.serviceRole)}`,
  )
}
