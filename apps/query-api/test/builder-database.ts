import { Database, ident, sql, trusted } from '@olytix/postgres'
import { createTestDatabase, type TestDatabase } from '@olytix/postgres/testing'
import { Builder } from '../src/models/builder.js'

/** A warehouse with somebody's tables in schema `raw`, a role that builds, and one that reads. */
export interface BuilderDatabase {
  readonly database: TestDatabase
  /** As the owner of `raw`. */
  readonly owner: Database
  /** As the role that builds; it is the service role of the database. */
  readonly builder: Builder
  readonly asBuilder: Database
  /** As the role that reads. */
  readonly reader: Database
  readonly readerUrl: string
  readonly readerRole: string
  stop(): Promise<void>
}

/** @param setup statements of the owner, with schema `raw` in place */
export async function startBuilderDatabase(setup: string): Promise<BuilderDatabase> {
  const database = await createTestDatabase()
  const owner = new Database({ url: database.ownerUrl })
  const builderRole = ident(database.serviceRole)
  const name = new URL(database.url).pathname.slice(1)
  // A second role of the same database, made as the first was.
  const readerUrl = new URL(database.url)
  const readerRole = `${name}_reader`
  readerUrl.username = readerRole
  const server = process.env['OLYTIX_TEST__DATABASE_URL'] ?? ''
  const superuser = new Database({ url: server, maxConnections: 1 })
  await superuser.execute(
    sql`create role ${ident(readerRole)} login password ${trusted(`'${readerUrl.password}'`)}`,
  )
  await superuser.execute(sql`grant connect on database ${ident(name)} to ${ident(readerRole)}`)
  await owner.execute(sql`grant create, temporary on database ${ident(name)} to ${builderRole}`)
  await owner.execute(sql`create schema raw`)
  await owner.execute(trusted(setup))
  await owner.execute(sql`grant usage on schema raw to ${builderRole}, ${ident(readerRole)}`)
  await owner.execute(
    sql`grant select on all tables in schema raw to ${builderRole}, ${ident(readerRole)}`,
  )
  const asBuilder = new Database({ url: database.url })
  await asBuilder.execute(
    sql`alter default privileges grant usage on schemas to ${ident(readerRole)}`,
  )
  await asBuilder.execute(
    sql`alter default privileges grant select on tables to ${ident(readerRole)}`,
  )
  const builder = new Builder({ url: database.url, concurrency: 4, timeoutMs: 30_000 })
  const reader = new Database({ url: readerUrl.href })
  return {
    database,
    owner,
    builder,
    asBuilder,
    reader,
    readerUrl: readerUrl.href,
    readerRole,
    stop: async () => {
      await Promise.all([owner.close(), asBuilder.close(), reader.close(), builder.close()])
      await database.drop()
      await superuser.execute(sql`drop role ${ident(readerRole)}`)
      await superuser.close()
    },
  }
}
