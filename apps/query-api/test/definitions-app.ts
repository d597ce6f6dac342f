import { fileURLToPath } from 'node:url'
import type { Principal } from '@olytix/auth-guards'
import { Database } from '@olytix/postgres'
import { createTestDatabase, type TestDatabase } from '@olytix/postgres/testing'
import { loadModule } from 'libpg-query'
import { AuditService } from '../src/audit/audit.service.js'
import { Definitions } from '../src/definitions/definitions.service.js'
import { loadFolder } from '../src/definitions/load-folder.js'
import { RevisionFollower } from '../src/definitions/revision-follower.js'
import { createDefinitionsHttpModule } from '../src/http/definitions-http.module.js'
import { createQueryHttpModule } from '../src/http/query-http.module.js'
import { compileProject } from '../src/project/build-project.js'
import { CurrentProject } from '../src/project/current-project.js'
import type { ProjectFiles } from '../src/project/definitions.js'
import { readProjectFolder } from '../src/project/load-project.js'
import { FakePrincipals, serveRoutes } from './query-app.js'
import { MASKING_KEY, NO_BUILDS } from './small-project.js'
import { startSuperstore, type Superstore, SUPERSTORE } from './superstore.js'

/** The example over a database of definitions, with as many replicas as a test starts. */
export interface DefinitionsStack {
  readonly testDatabase: TestDatabase
  /** Another process, as far as the database can tell. @returns its origin */
  startReplica(): Promise<string>
  stop(): Promise<void>
}

export async function startDefinitionsStack(
  principals: Readonly<Record<string, Principal>>,
): Promise<DefinitionsStack> {
  await loadModule()
  const migrations = fileURLToPath(new URL('../migrations', import.meta.url))
  const [superstore, testDatabase] = await Promise.all([
    startSuperstore(),
    createTestDatabase({ migrations, serviceRole: 'olytix_query' }),
  ])
  const replicas: { close(): Promise<void> }[] = []
  return {
    testDatabase,
    startReplica: async () => {
      const replica = await startReplica(testDatabase.url, superstore, principals)
      replicas.push(replica)
      return replica.origin
    },
    stop: async () => {
      for (const replica of replicas) await replica.close()
      await superstore.stop()
      await testDatabase.drop()
    },
  }
}

async function startReplica(
  url: string,
  { warehouse }: Superstore,
  principals: Readonly<Record<string, Principal>>,
) {
  const database = new Database({ url, maxConnections: 4 })
  const compile = (files: ProjectFiles) => Promise.resolve(compileProject(files, {}, MASKING_KEY))
  const project = 'superstore'
  const definitions = new Definitions({
    database,
    project,
    compile,
    builds: NO_BUILDS,
    now: () => new Date(),
  })
  await loadFolder(definitions, {
    files: await readProjectFolder(SUPERSTORE),
    takesPolicies: false,
  })
  const first = await definitions.load()
  if (!first) throw new Error('the example made no revision')
  const projects = new CurrentProject(first)
  const follower = new RevisionFollower(database, definitions, projects)
  const audit = new AuditService(database, { isEnabled: true, durability: 'strict' })
  const { origin, close } = await serveRoutes(principals, [
    createQueryHttpModule({
      projects,
      warehouse,
      audit,
      principals: new FakePrincipals(principals),
    }),
    createDefinitionsHttpModule({ definitions, projects, folder: SUPERSTORE }),
  ])
  return {
    origin,
    close: async () => {
      await close()
      await follower.close()
      await database.close()
    },
  }
}
