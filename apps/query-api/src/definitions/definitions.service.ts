import { AppError } from '@olytix/errors'
import type { Database, Queryable, Transaction } from '@olytix/postgres'
import type { Caller } from '../audit/audit-event.js'
import { recordChanges } from '../audit/record-changes.js'
import { type CurrentProject, isNewer, type ProjectRevision } from '../project/current-project.js'
import { PROJECT_FILE } from '../project/project-file.js'
import type { Project } from '../project/project.js'
import type { CompiledProject } from '../project/build-project.js'
import type { Shadowed } from '../project/read-definitions.js'
import type { DefinitionKind, ProjectFiles } from '../project/definitions.js'
import { type DefinitionChange, definitionChanges } from './changes.js'
import { changeEvents } from './change-events.js'
import {
  findHead,
  findRevision,
  insertChanges,
  insertDocuments,
  insertRevision,
  listChanges,
  listDefinitions,
  listDocuments,
  listRevisions,
  listVersions,
  lockDefinitions,
  notifyRevision,
} from './definitions.queries.js'
import type {
  DefinitionVersion,
  RevisionChange,
  RevisionSummary,
  StoredDefinition,
} from './stored-definition.js'
import { type Document, filesOfDocuments, withChanges } from './documents.js'

/** What a revision is compiled against may change: variables, roles and views of the warehouse. */
const REFUSED_FOR_MS = 10_000

/** What definitions are kept in and compiled with. */
export interface DefinitionsOptions {
  readonly database: Database
  /** The name of the project. */
  readonly project: string
  /** @throws AppError INVALID_PROJECT */
  readonly compile: (files: ProjectFiles) => Promise<CompiledProject>
  /** Counts what happens to tables of models, which lineage is followed through. */
  readonly builds: () => Promise<number>
  readonly now: () => Date
}

/** The newest revision as it is stored. */
export interface Head {
  /** 0 before the first. */
  readonly revision: number
  readonly documents: readonly Document[]
  readonly definitions: readonly StoredDefinition[]
}

type Edition = Pick<ProjectRevision, 'revision' | 'builds'>

/** Somebody's change. */
export interface Change {
  /** `undefined`: the project's folder, by whoever runs the service. */
  readonly author: Caller | undefined
  /** For the list of revisions. */
  readonly summary: string
  /** The documents that change; none for no change. What it throws ends the change. */
  readonly propose: (head: Head) => readonly Document[]
  /** Looks at the project before and after; what it throws ends the change. Not called for the first revision. */
  readonly inspect?: ((before: Project, after: Project) => void) | undefined
}

/** What a change came to. */
export interface Changed extends ProjectRevision {
  readonly changes: readonly DefinitionChange[]
  /** What is kept as it is although a file that changed has it too: it was edited since. */
  readonly kept: readonly string[]
}

/**
 * The revisions of a project's definitions. A change is compiled with everything else before it is accepted, whole or
 * not at all; changes take turns over all replicas.
 */
export class Definitions {
  /** A revision that does not compile here is tried again after a while only. */
  private refused = { revision: 0, until: 0 }
  private refreshing: Promise<void> | undefined
  /** Changes of this replica, one after the other: those that wait hold no connection. */
  private turn: Promise<unknown> = Promise.resolve()

  constructor(private readonly options: DefinitionsOptions) {}

  /**
   * Makes the next revision, with its audit events, in one transaction.
   * @returns `undefined` when the change changes nothing
   * @throws AppError INVALID_PROJECT with all problems, and whatever `propose` throws
   */
  change(change: Change): Promise<Changed | undefined> {
    const own = this.turn.then(() => this.make(change))
    this.turn = own.catch(() => undefined)
    return own
  }

  private make(change: Change): Promise<Changed | undefined> {
    return this.options.database.transaction(async (transaction) => {
      await lockDefinitions(transaction)
      const builds = await this.options.builds()
      const head = await this.readHead(transaction)
      const documents = change.propose(head)
      if (documents.length === 0) return undefined
      const files = filesOfDocuments(withChanges(head.documents, documents))
      const { project, definitions, shadowed } = await this.compile(files)
      await this.inspect(change, head, project)
      const changes = definitionChanges(head.definitions, definitions)
      const revision = await this.insert(transaction, change, { documents, changes })
      return { project, revision, builds, changes, kept: keptOf(shadowed, documents) }
    })
  }

  /** What a change would come to, without making it. @throws AppError as `change` does */
  async preview(change: Change): Promise<Pick<Changed, 'project' | 'kept'>> {
    const head = await this.readHead(this.options.database)
    const documents = change.propose(head)
    const files = filesOfDocuments(withChanges(head.documents, documents))
    const { project, shadowed } = await this.compile(files)
    await this.inspect(change, head, project)
    return { project, kept: keptOf(shadowed, documents) }
  }

  /** The definitions that there are (or were in a revision), by kind and name. */
  list(kinds?: readonly DefinitionKind[], revision?: number): Promise<readonly StoredDefinition[]> {
    return listDefinitions(this.options.database, this.options.project, kinds, revision)
  }

  /** The newest first. */
  revisions(): Promise<readonly RevisionSummary[]> {
    return listRevisions(this.options.database, this.options.project)
  }

  /** `undefined` when there never was one of this number. */
  revision(revision: number): Promise<RevisionSummary | undefined> {
    return findRevision(this.options.database, { project: this.options.project, revision })
  }

  /** Which definitions a revision changed, by kind and name. */
  changes(kinds: readonly DefinitionKind[], revision: number): Promise<readonly RevisionChange[]> {
    const { database, project } = this.options
    return listChanges(database, { project, revision }, kinds)
  }

  /** What became of the definitions of a name, newest first. */
  versions(kinds: readonly DefinitionKind[], name: string): Promise<readonly DefinitionVersion[]> {
    return listVersions(this.options.database, this.options.project, { kinds, name })
  }

  /** The newest revision, compiled; `undefined` when there is none. @throws AppError INVALID_PROJECT */
  async load(): Promise<ProjectRevision | undefined> {
    const newest = await this.findNewest()
    return newest.revision === 0 ? undefined : this.loadEdition(newest)
  }

  /** The project as it was in a revision, compiled as it would be now. @throws AppError INVALID_PROJECT */
  async loadAt(revision: number): Promise<Project> {
    const documents = await listDocuments(this.options.database, this.options.project, revision)
    return (await this.options.compile(filesOfDocuments(documents))).project
  }

  /**
   * Replaces `current` when a newer revision is there; with one that does not compile here, it stays. Whatever else fails
   * may pass: a warehouse that is slow for a moment must not keep old policies in force.
   */
  refresh(current: CurrentProject): Promise<void> {
    this.refreshing ??= this.takeNewest(current).finally(() => {
      this.refreshing = undefined
    })
    return this.refreshing
  }

  private async takeNewest(current: CurrentProject): Promise<void> {
    const { held } = current
    const newest = await this.findNewest()
    // What is served on knows of new builds, too.
    const revision = this.isRefused(newest.revision) ? held.revision : newest.revision
    const next = { ...newest, revision }
    if (!isNewer(next, held)) return
    try {
      current.replace(await this.loadEdition(next))
    } catch (error) {
      if (error instanceof AppError && error.code === 'INVALID_PROJECT') {
        this.refused = { revision, until: this.options.now().getTime() + REFUSED_FOR_MS }
      }
      throw error
    }
  }

  private async findNewest(): Promise<Edition> {
    const { database, project, builds } = this.options
    const [revision, count] = await Promise.all([findHead(database, project), builds()])
    return { revision, builds: count }
  }

  /** Builds were counted before: it may know of more of them, never of fewer. */
  private async loadEdition(edition: Edition): Promise<ProjectRevision> {
    return { ...edition, project: await this.loadAt(edition.revision) }
  }

  private isRefused(revision: number): boolean {
    const { refused, options } = this
    return revision === refused.revision && options.now().getTime() < refused.until
  }

  private async compile(files: ProjectFiles): Promise<CompiledProject> {
    const compiled = await this.options.compile(files)
    const { name } = compiled.project
    if (name === this.options.project) return compiled
    const message = `the project served here is called ${this.options.project}, not ${name}`
    throw new AppError('INVALID_PROJECT', message, {
      details: [{ path: PROJECT_FILE, message, line: 1, column: 1 }],
    })
  }

  private async inspect({ inspect }: Change, head: Head, after: Project): Promise<void> {
    if (!inspect || head.revision === 0) return
    const { project: before } = await this.options.compile(filesOfDocuments(head.documents))
    inspect(before, after)
  }

  private async readHead(database: Queryable): Promise<Head> {
    const { project } = this.options
    const revision = await findHead(database, project)
    const documents = await listDocuments(database, project, revision)
    return { revision, documents, definitions: await listDefinitions(database, project) }
  }

  private async insert(
    transaction: Transaction,
    { author, summary }: Change,
    content: { readonly documents: readonly Document[]; readonly changes: DefinitionChange[] },
  ): Promise<number> {
    const { project, now } = this.options
    const revision = await insertRevision(transaction, {
      project,
      summary,
      origin: author ? 'api' : 'folder',
      authorId: author?.principal.id ?? null,
      authorEmail: author?.principal.email ?? null,
    })
    await insertDocuments(transaction, { project, revision }, content.documents)
    await insertChanges(transaction, { project, revision }, content.changes)
    const events = changeEvents(content.changes, { author, revision, at: now() })
    await recordChanges(transaction, events)
    await notifyRevision(transaction, revision)
    return revision
  }
}

function keptOf(shadowed: readonly Shadowed[], documents: readonly Document[]): string[] {
  const files = new Set(documents.flatMap(({ kind, name }) => (kind === 'file' ? [name] : [])))
  return shadowed.flatMap(({ kind, name, path }) =>
    files.has(path) ? [`${kind}/${name} was edited since; ${path} does not change it`] : [],
  )
}
