import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { aPrincipal } from '@olytix/auth-guards/testing'
import { AppError, type ErrorCode } from '@olytix/errors'
import { Database, sql } from '@olytix/postgres'
import { createTestDatabase, type TestDatabase } from '@olytix/postgres/testing'
import { loadModule } from 'libpg-query'
import { z } from 'zod'
import type { Caller } from '../src/audit/audit-event.js'
import { Definitions } from '../src/definitions/definitions.service.js'
import { editDocument } from '../src/definitions/documents.js'
import { FolderWatcher } from '../src/definitions/folder-watcher.js'
import { loadFolder } from '../src/definitions/load-folder.js'
import { RevisionFollower } from '../src/definitions/revision-follower.js'
import { type CompiledProject, compileProject } from '../src/project/build-project.js'
import { CurrentProject } from '../src/project/current-project.js'
import type { ProjectFiles } from '../src/project/definitions.js'
import { NO_BUILDS } from './small-project.js'

const MIGRATIONS = fileURLToPath(new URL('../migrations', import.meta.url))
const ADMIN: Caller = {
  principal: aPrincipal({ id: 'usr_admin', scopes: ['read', 'write', 'admin'] }),
  requestId: 'request-1',
  clientIp: '127.0.0.1',
}

let testDatabase: TestDatabase
let database: Database
let owner: Database
let definitions: Definitions

beforeAll(async () => {
  await loadModule()
})

beforeEach(async () => {
  testDatabase = await createTestDatabase({ migrations: MIGRATIONS, serviceRole: 'olytix_query' })
  database = new Database({ url: testDatabase.url, maxConnections: 6 })
  owner = new Database({ url: testDatabase.ownerUrl, maxConnections: 1 })
  definitions = replica()
})

afterEach(async () => {
  await database.close()
  await owner.close()
  await testDatabase.drop()
})

function replica(environment: Record<string, string> = {}): Definitions {
  const compile = (files: ProjectFiles) => Promise.resolve(compileProject(files, environment))
  return new Definitions({
    database,
    project: 'shop',
    compile,
    builds: NO_BUILDS,
    now: () => new Date(),
  })
}

/** A replica whose next compilation can be made to fail. */
function hindered() {
  const failures: AppError[] = []
  let compiled = 0
  const compile = (files: ProjectFiles): Promise<CompiledProject> => {
    compiled++
    const failure = failures.pop()
    return failure ? Promise.reject(failure) : Promise.resolve(compileProject(files, {}))
  }
  return {
    hinder: (code: ErrorCode) => failures.push(new AppError(code, 'for a moment')),
    compiled: () => compiled,
    of: new Definitions({
      database,
      project: 'shop',
      compile,
      builds: NO_BUILDS,
      now: () => new Date(),
    }),
  }
}

const POLICY = 'policies: [{name: all, cube: orders, roles: ["*"]}]'

interface Texts {
  readonly title?: string
  readonly policies?: string
  readonly settings?: string
}

function folder({ title = 'Orders', policies = POLICY, settings = 'name: shop' }: Texts = {}) {
  const cube = `{name: orders, title: ${title}, sql_table: raw.orders, measures: [{name: n, type: count}]}`
  const sources = 'sources: [{name: raw, tables: [{name: orders}]}]'
  return {
    project: { path: 'olytix-core_project.yml', text: settings },
    sources: [{ path: 'sources/s.yml', text: sources }],
    models: [],
    cubes: [{ path: 'cubes/c.yml', text: `cubes: [${cube}]` }],
    metrics: [],
    policies: [{ path: 'policies/p.yml', text: policies }],
  }
}

const load = (files: ProjectFiles) => loadFolder(definitions, { files, takesPolicies: false })

const editTitle = (title: string, of = definitions) =>
  of.change({
    author: ADMIN,
    summary: 'edit',
    propose: () => [
      editDocument({
        kind: 'cubes',
        name: 'orders',
        text: `{name: orders, title: ${title}, sql_table: raw.orders}`,
      }),
    ],
  })

const titleNow = async (): Promise<string | undefined> =>
  (await definitions.load())?.project.cubes['orders']?.title

function events(): Promise<Record<string, unknown>[]> {
  return owner.many(z.record(z.string(), z.unknown()), sql`select * from audit_events order by id`)
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + 5_000
  while (!isSo()) {
    if (Date.now() > deadline) throw new Error('did not come about in time')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

describe('the folder', () => {
  test('is the first revision, policies included', async () => {
    const { changed } = await load(folder())
    expect(changed?.revision).toBe(1)
    const project = (await definitions.load())?.project
    expect(Object.keys(project?.cubes ?? {})).toEqual(['orders'])
    expect(project?.policies.map(({ name }) => name)).toEqual(['all'])
  })

  test('makes no revision when nothing in it has changed', async () => {
    await load(folder())
    expect((await load(folder())).changed).toBeUndefined()
  })

  test('makes a revision of the file that has changed', async () => {
    await load(folder())
    const { changed } = await load(folder({ title: 'Sales' }))
    expect(changed?.changes.map(({ kind, name, change }) => [kind, name, change])).toEqual([
      ['cubes', 'orders', 'updated'],
    ])
    expect(await titleNow()).toBe('Sales')
  })

  test('changes no policy any more, and says so', async () => {
    await load(folder())
    const { changed, warnings } = await load(folder({ policies: 'policies: []' }))
    expect(changed).toBeUndefined()
    expect(warnings).toEqual(['policies/p.yml has changed; only an admin changes policies'])
    expect((await definitions.load())?.project.policies).toHaveLength(1)
  })

  test('does not take away a policy by taking away its file', async () => {
    await load(folder())
    const { changed, warnings } = await load({ ...folder({ title: 'Sales' }), policies: [] })
    expect(changed?.project.policies).toHaveLength(1)
    expect(warnings).toHaveLength(1)
  })

  test('changes policies for an admin', async () => {
    await load(folder())
    await loadFolder(definitions, {
      files: folder({ policies: 'policies: []' }),
      author: ADMIN,
      takesPolicies: true,
    })
    expect((await definitions.load())?.project.policies).toEqual([])
  })

  test('keeps what was edited since, and says so', async () => {
    await load(folder())
    await editTitle('Edited')
    const { changed, warnings } = await load(folder({ title: 'Sales' }))
    expect(changed?.project.cubes['orders']?.title).toBe('Edited')
    expect(warnings).toEqual(['cubes/orders was edited since; cubes/c.yml does not change it'])
  })

  test('that does not compile changes nothing', async () => {
    await load(folder())
    await expect(load(folder({ title: '{' }))).rejects.toMatchObject({ code: 'INVALID_PROJECT' })
    expect((await definitions.load())?.revision).toBe(1)
    expect(await titleNow()).toBe('Orders')
  })

  test('gives no password to the database', async () => {
    const settings =
      'name: shop\nwarehouse: # secret-0\n  type: postgres\n  url: postgres://a:secret-1@b/c\n' +
      'security:\n  oauth: {enabled: false, x: secret-2}\nvars: {a: kept}\n'
    await load(folder({ settings }))
    const rows = await owner.many(z.object({ text: z.string() }), sql`select text from documents`)
    const all = rows.map(({ text }) => text).join()
    expect(all).toContain('kept')
    expect(all).not.toContain('secret')
  })
})

describe('a change', () => {
  test('is a revision with its author, and an audit event', async () => {
    await load(folder())
    expect((await editTitle('Edited'))?.revision).toBe(2)
    expect(await titleNow()).toBe('Edited')
    const all = await events()
    expect(all.at(-1)).toMatchObject({
      event_type: 'definition_changed',
      user_id: 'usr_admin',
      request_id: 'request-1',
      subject: 'orders',
      additional_data: { kind: 'cubes', change: 'updated', revision: 2 },
    })
    expect(all.map((event) => event['event_type'])).toContain('policy_created')
  })

  test('that does not compile leaves neither revision nor event', async () => {
    await load(folder())
    const before = (await events()).length
    await expect(editTitle('{')).rejects.toMatchObject({ code: 'INVALID_PROJECT' })
    expect((await definitions.load())?.revision).toBe(1)
    expect(await events()).toHaveLength(before)
  })

  test('takes its turn: as many changes at once are as many revisions, none lost', async () => {
    await load(folder())
    const other = replica()
    const all = Array.from({ length: 12 }, (_, at) =>
      editTitle(`T${String(at)}`, at % 2 ? other : definitions),
    )
    const numbers = (await Promise.all(all)).map((changed) => changed?.revision)
    expect(numbers.sort((a = 0, b = 0) => a - b)).toEqual(all.map((_, at) => at + 2))
  })

  test('cannot be undone in the table by the service', async () => {
    await load(folder())
    await expect(database.execute(sql`delete from documents`)).rejects.toThrow('permission denied')
    await expect(database.execute(sql`update revisions set project = 'x'`)).rejects.toThrow(
      'permission denied',
    )
  })

  test('of a source takes nothing from the environment of the service', async () => {
    await load(folder())
    const withSecret = replica({ SECRET: 'hidden' })
    await withSecret.change({
      author: ADMIN,
      summary: 'edit',
      propose: () => [
        editDocument({
          kind: 'sources',
          name: 'raw',
          text: '{name: raw, description: "${SECRET}", tables: [{name: orders}]}',
        }),
      ],
    })
    expect((await withSecret.load())?.project.sources['raw']?.description).toBe('${SECRET}')
  })
})

describe('a folder that is watched', () => {
  test('is loaded once what was in the way has passed', async () => {
    const { changed: first } = await load(folder())
    if (!first) throw new Error('no revision')
    const projects = new CurrentProject(first)
    const { hinder, of } = hindered()
    const read = () => Promise.resolve(folder({ title: 'Watched' }))
    hinder('UNAVAILABLE')
    const watcher = new FolderWatcher({ definitions: of, projects, read, files: folder() })
    await until(() => projects.project.cubes['orders']?.title === 'Watched')
    await watcher.close()
  })

  test('is loaded when it changes; what does not compile leaves the project as it is', async () => {
    const { changed: first } = await load(folder())
    if (!first) throw new Error('no revision')
    const projects = new CurrentProject(first)
    const title = () => projects.project.cubes['orders']?.title
    let files = folder()
    let reads = 0
    const read = () => Promise.resolve(files).finally(() => reads++)
    const watcher = new FolderWatcher({ definitions, projects, read, files })
    files = folder({ title: '{' })
    const broken = reads
    await until(() => reads >= broken + 2)
    expect(title()).toBe('Orders')
    files = folder({ title: 'Watched', policies: 'policies: []' })
    await until(() => title() === 'Watched')
    expect(projects.project.policies).toHaveLength(1)
    await watcher.close()
  })
})

describe('replicas', () => {
  async function following(of: Definitions): Promise<[CurrentProject, RevisionFollower]> {
    const first = await of.load()
    if (!first) throw new Error('no revision')
    const current = new CurrentProject(first)
    return [current, new RevisionFollower(database, of, current)]
  }

  test('serve a change of another within a second', async () => {
    await load(folder())
    const [current, follower] = await following(replica())
    const startedAt = performance.now()
    await editTitle('Edited')
    await until(() => current.project.cubes['orders']?.title === 'Edited')
    expect(performance.now() - startedAt).toBeLessThan(1_000)
    await follower.close()
  })

  test('find a change that no notification told them of', async () => {
    await load(folder())
    const [current, follower] = await following(replica())
    await owner.execute(sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and query like 'listen %'`)
    await editTitle('Edited')
    await until(() => current.held.revision === 2)
    await follower.close()
  })

  test('keep what they have when a revision does not compile for them', async () => {
    await load(folder())
    const first = await definitions.load()
    if (!first) throw new Error('no revision')
    const current = new CurrentProject(first)
    const richer = replica({ NAME: 'x' })
    const files = folder({ settings: 'name: shop\nvars: {a: "${NAME}"}' })
    await loadFolder(richer, { files, takesPolicies: false })
    await expect(definitions.refresh(current)).rejects.toMatchObject({ code: 'INVALID_PROJECT' })
    await definitions.refresh(current)
    expect(current.held.revision).toBe(1)
    const follower = new RevisionFollower(database, definitions, current)
    await loadFolder(richer, { files: folder({ title: 'Later' }), takesPolicies: false })
    await until(() => current.held.revision === 3)
    expect(current.project.cubes['orders']?.title).toBe('Later')
    await follower.close()
  })

  test('take a revision later when something that passes was in the way', async () => {
    await load(folder())
    const { hinder, of } = hindered()
    const [current, follower] = await following(of)
    hinder('QUERY_TIMEOUT')
    await editTitle('Edited')
    await until(() => current.held.revision === 2)
    await follower.close()
  })

  test('compile a revision once, however many look for it at once', async () => {
    await load(folder())
    const { compiled, of } = hindered()
    const first = await of.load()
    if (!first) throw new Error('no revision')
    const current = new CurrentProject(first)
    await editTitle('Edited')
    await Promise.all([1, 2, 3].map(() => of.refresh(current)))
    expect([current.held.revision, compiled()]).toEqual([2, 2])
  })

  test('keep no connection for changes that wait for others', async () => {
    await load(folder())
    const titles = Array.from({ length: 20 }, (_, index) => `T${String(index)}`)
    const changes = await owner.transaction(async (transaction) => {
      await transaction.execute(sql`lock table revisions in access exclusive mode`)
      const waiting = titles.map((title) => editTitle(title))
      expect(await database.execute(sql`select 1`)).toBe(1)
      return waiting
    })
    expect((await Promise.all(changes)).at(-1)?.revision).toBe(21)
  })

  test('a reply that comes late does not bring an old revision back', async () => {
    await load(folder())
    const old = await definitions.load()
    await editTitle('Edited')
    const next = await definitions.load()
    if (!old || !next) throw new Error('no revision')
    const current = new CurrentProject(next)
    current.replace(old)
    expect(current.held).toBe(next)
  })

  test('another project in the same database is a world of its own', async () => {
    await load(folder())
    const compile = (files: ProjectFiles) => Promise.resolve(compileProject(files, {}))
    const other = new Definitions({
      database,
      project: 'mart',
      compile,
      builds: NO_BUILDS,
      now: () => new Date(),
    })
    expect(await other.load()).toBeUndefined()
    await loadFolder(other, { files: folder({ settings: 'name: mart' }), takesPolicies: false })
    expect((await other.load())?.project.name).toBe('mart')
    expect((await definitions.load())?.project.name).toBe('shop')
  })
})
