import { fileURLToPath } from 'node:url'
import type { Principal } from '@olytix/auth-guards'
import { aPrincipal } from '@olytix/auth-guards/testing'
import { Database } from '@olytix/postgres'
import { createTestDatabase } from '@olytix/postgres/testing'
import { loadModule } from 'libpg-query'
import { z } from 'zod'
import { Definitions } from '../src/definitions/definitions.service.js'
import { loadFolder } from '../src/definitions/load-folder.js'
import { createModelsHttpModule } from '../src/http/models-http.module.js'
import { BuildRecords } from '../src/models/build-records.js'
import { Builder } from '../src/models/builder.js'
import { PLANNERS } from '../src/models/planners.js'
import { RunExecutor } from '../src/models/run-executor.js'
import { RunsService } from '../src/models/runs.service.js'
import { compileProject } from '../src/project/build-project.js'
import { CurrentProject } from '../src/project/current-project.js'
import type { ProjectFiles } from '../src/project/definitions.js'
import { type BuilderDatabase, startBuilderDatabase } from './builder-database.js'
import { serveRoutes } from './query-app.js'
import { MASKING_KEY } from './small-project.js'

/** Callers by credential. */
export const CALLERS = {
  reader: aPrincipal({ scopes: ['read'] }),
  writer: aPrincipal({ id: 'key_writer', scopes: ['write'] }),
  both: aPrincipal({ id: 'key_both', scopes: ['read', 'write'] }),
  admin: aPrincipal({ id: 'key_admin', scopes: ['read', 'write', 'admin'] }),
} as const satisfies Record<string, Principal>

/** A project of models over a warehouse of its own, with as many replicas as a test starts. */
export interface ModelsStack {
  readonly warehouse: BuilderDatabase
  /** Of query-api, as its service. */
  readonly database: Database
  startReplica(): Promise<ModelsReplica>
  stop(): Promise<void>
}

export interface ModelsReplica {
  ask(credential: string, method: string, path: string, body?: object): Promise<Answer>
  /** Asks for a run and waits until it is finished. */
  finish(credential: string, body?: object, verb?: string): Promise<Answer>
  readonly origin: string
  /** As at SIGTERM. */
  close(): Promise<void>
}

/** What any of the routes answers. */
const AnswerBody = z.looseObject({
  run_id: z.string().default(''),
  id: z.string().default(''),
  status: z.string().optional(),
  finished_at: z.string().nullish(),
  steps: z.array(z.unknown()).default([]),
  runs: z.array(z.looseObject({ id: z.string() })).default([]),
  error: z.looseObject({ details: z.unknown().optional() }).optional(),
})

export interface Answer {
  readonly status: number
  readonly body: z.output<typeof AnswerBody>
}

interface ModelsText {
  /** Makes the tables of schema `raw`. */
  readonly setup: string
  /** By name. */
  readonly models: Readonly<Record<string, string>>
  readonly tables: readonly string[]
  readonly cubes?: string
  readonly policies?: string
  /** Further files, by path. */
  readonly files?: Readonly<Record<string, string>>
}

export async function startModelsStack(text: ModelsText): Promise<ModelsStack> {
  await loadModule()
  const migrations = fileURLToPath(new URL('../migrations', import.meta.url))
  const [warehouse, definitionsDatabase] = await Promise.all([
    startBuilderDatabase(text.setup),
    createTestDatabase({ migrations, serviceRole: 'olytix_query' }),
  ])
  const database = new Database({ url: definitionsDatabase.url })
  const replicas: ModelsReplica[] = []
  return {
    warehouse,
    database,
    startReplica: async () => {
      const replica = await startReplica(definitionsDatabase.url, warehouse, filesOf(text))
      replicas.push(replica)
      return replica
    },
    stop: async () => {
      for (const replica of replicas) await replica.close()
      await database.close()
      await warehouse.stop()
      await definitionsDatabase.drop()
    },
  }
}

async function startReplica(
  url: string,
  warehouse: BuilderDatabase,
  files: ProjectFiles,
): Promise<ModelsReplica> {
  const database = new Database({ url, maxConnections: 6 })
  const compile = (of: ProjectFiles) => Promise.resolve(compileProject(of, {}, MASKING_KEY))
  const project = 'shop'
  const now = () => new Date()
  const builds = new BuildRecords(database, 500)
  const definitions = new Definitions({ database, project, compile, builds: builds.count, now })
  await loadFolder(definitions, { files, takesPolicies: false })
  const first = await definitions.load()
  if (!first) throw new Error('the files made no revision')
  const projects = new CurrentProject(first)
  const builder = new Builder({ url: warehouse.database.url, concurrency: 4, timeoutMs: 30_000 })
  const options = { database, project, planners: PLANNERS, now }
  const projectAt = (revision: number) => definitions.loadAt(revision)
  const executor = new RunExecutor({ ...options, builder, builds, concurrency: 2, projectAt })
  const runs = new RunsService(options, projects, executor)
  const { origin, close } = await serveRoutes(CALLERS, [createModelsHttpModule(runs)])
  const ask = askAt(origin)
  let closing: Promise<void> | undefined
  return {
    origin,
    ask,
    finish: async (credential, body = {}, verb = 'run') => {
      const { body: started } = await ask(credential, 'POST', verb, body)
      return untilFinished(() => ask(credential, 'GET', `runs/${started.run_id}`))
    },
    close: () => {
      closing ??= (async () => {
        await close()
        await executor.close()
        await builder.close()
        await database.close()
      })()
      return closing
    },
  }
}

function askAt(origin: string): ModelsReplica['ask'] {
  return async (credential, method, path, body) => {
    const response = await fetch(`${origin}/api/v1/models/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${credential}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    })
    return { status: response.status, body: AnswerBody.parse(await response.json()) }
  }
}

/** Asks again and again until a run has ended. */
export async function untilFinished(ask: () => Promise<Answer>): Promise<Answer> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline;) {
    const answer = await ask()
    if (answer.status !== 200 || answer.body.finished_at !== null) return answer
  }
  throw new Error('the run did not end in time')
}

function filesOf(text: ModelsText): ProjectFiles {
  const { models, tables, cubes, policies, files = {} } = text
  const below = (folder: string) =>
    Object.entries(files).flatMap(([path, content]) =>
      path.startsWith(folder) ? [{ path, text: content }] : [],
    )
  const declared = tables.map((name) => `{name: ${name}}`).join()
  return {
    project: { path: 'olytix-core_project.yml', text: 'name: shop' },
    sources: [
      { path: 'sources/s.yml', text: `sources: [{name: raw, tables: [${declared}]}]` },
      ...below('sources/'),
    ],
    models: [
      ...Object.entries(models).map(([name, sql]) => ({ path: `models/${name}.sql`, text: sql })),
      ...below('models/'),
    ],
    seeds: below('seeds/'),
    tests: below('tests/'),
    cubes: cubes === undefined ? [] : [{ path: 'cubes/c.yml', text: `cubes:\n${cubes}` }],
    metrics: [],
    policies:
      policies === undefined ? [] : [{ path: 'policies/p.yml', text: `policies:\n${policies}` }],
  }
}
