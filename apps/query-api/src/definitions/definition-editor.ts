import { AppError, forbidden, invalidRequest } from '@olytix/errors'
import type { Caller } from '../audit/audit-event.js'
import type { CurrentProject } from '../project/current-project.js'
import type { DefinitionKind, Edit, ProjectFiles } from '../project/definitions.js'
import type { Project } from '../project/project.js'
import { changedFooting } from '../rls/rule-footing.js'
import type { Change, Definitions, Head } from './definitions.service.js'
import { type Document, editDocument } from './documents.js'
import { type FolderLoad, loadFolder, previewFolder } from './load-folder.js'
import { type Precondition, requireMatch } from './precondition.js'
import type { StoredDefinition } from './stored-definition.js'

/** Those that `write` may change. */
export const EDITABLE_KINDS = ['sources', 'models', 'cubes', 'metrics'] as const

export type EditableKind = (typeof EDITABLE_KINDS)[number]

/** Which definition, and in which state it must be. */
export interface DefinitionTarget {
  readonly kind: EditableKind
  readonly name: string
  readonly precondition: Precondition
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/

/**
 * Changes of sources, models, cubes and metrics. Each is compiled with the whole project before it counts. What policies
 * and masks rest on is changed by admins only, whoever asks and however.
 */
export class DefinitionEditor {
  constructor(
    private readonly definitions: Definitions,
    private readonly projects: CurrentProject,
  ) {}

  list(kinds: readonly EditableKind[] = EDITABLE_KINDS): Promise<readonly StoredDefinition[]> {
    return this.definitions.list(kinds)
  }

  /** @throws AppError NOT_FOUND */
  async get(kind: EditableKind, name: string): Promise<StoredDefinition> {
    const found = (await this.list([kind])).find((each) => each.name === name)
    return found ?? notFound(kind, name)
  }

  /** @throws AppError INVALID_PROJECT, PRECONDITION_FAILED, FORBIDDEN for what only an admin may change */
  async put(
    caller: Caller,
    { kind, name, precondition }: DefinitionTarget,
    text: string,
  ): Promise<{ readonly definition: StoredDefinition; readonly isNew: boolean }> {
    if (!NAME.test(name)) {
      const message = 'expected a name of letters, digits and _, at most 63 long'
      throw invalidRequest([{ path: 'name', message }])
    }
    let isNew = false
    await this.change(caller, `put ${kind}/${name}`, (head) => {
      const existing = find(head, kind, name)
      requireMatch(existing, precondition)
      isNew = !existing
      return existing?.text === text ? [] : [editDocument({ kind, name, text })]
    })
    return { definition: await this.get(kind, name), isNew }
  }

  /** @throws AppError NOT_FOUND, PRECONDITION_FAILED, FORBIDDEN, INVALID_PROJECT when something needs it */
  async delete(caller: Caller, { kind, name, precondition }: DefinitionTarget): Promise<void> {
    await this.change(caller, `delete ${kind}/${name}`, (head) => {
      requireMatch(find(head, kind, name) ?? notFound(kind, name), precondition)
      return [editDocument({ kind, name, text: undefined })]
    })
  }

  /**
   * Brings definitions back to what they were in a revision, as edits: what the folder holds does not undo it. Policies
   * stay as they are unless an admin restores.
   * @returns the new revision, or the present one when nothing differs
   * @throws AppError NOT_FOUND, FORBIDDEN, INVALID_PROJECT
   */
  async restore(caller: Caller, revision: number): Promise<number> {
    if (!(await this.definitions.revision(revision))) {
      throw new AppError('NOT_FOUND', `There is no revision ${String(revision)}`)
    }
    const kinds = isAdmin(caller) ? undefined : EDITABLE_KINDS
    const then = await this.definitions.list(kinds, revision)
    await this.change(caller, `restore revision ${String(revision)}`, (head) => {
      const present = head.definitions.filter(({ kind }) => isAmong(kind, kinds))
      return editsBetween(present, then).map(editDocument)
    })
    return this.projects.held.revision
  }

  /** Loads files of the project's folder. Policies in it count for admins only. @throws AppError INVALID_PROJECT, FORBIDDEN */
  async load(caller: Caller, files: ProjectFiles): Promise<Loaded> {
    const { changed, warnings } = await loadFolder(this.definitions, loadBy(caller, files)).catch(
      toldTo(caller),
    )
    if (changed) this.projects.replace(changed)
    return { project: this.projects.project, warnings }
  }

  /** What `load` would come to. @throws AppError INVALID_PROJECT, FORBIDDEN */
  preview(caller: Caller, files: ProjectFiles): Promise<Loaded> {
    return previewFolder(this.definitions, loadBy(caller, files)).catch(toldTo(caller))
  }

  private async change(
    author: Caller,
    summary: string,
    propose: (head: Head) => readonly Document[],
  ): Promise<void> {
    const inspect = inspectionFor(author)
    const changed = await this.definitions
      .change({ author, summary, propose, inspect })
      .catch(toldTo(author))
    if (changed) this.projects.replace(changed)
  }
}

interface Loaded {
  readonly project: Project
  readonly warnings: readonly string[]
}

function loadBy(author: Caller, files: ProjectFiles): FolderLoad {
  return { files, author, takesPolicies: isAdmin(author), inspect: inspectionFor(author) }
}

function inspectionFor(caller: Caller): Change['inspect'] {
  if (isAdmin(caller)) return undefined
  return (before: Project, after: Project) => {
    const changed = changedFooting(before, after)
    if (changed.length > 0) throw forbidden(`changes what rests on: ${changed.join(', ')}`)
  }
}

function toldTo(caller: Caller): (error: unknown) => never {
  return (error) => {
    throw isAdmin(caller) ? error : withoutPolicies(error)
  }
}

/** Problems of policies are told to admins; others learn that there are some. */
function withoutPolicies(error: unknown): unknown {
  if (!(error instanceof AppError) || error.code !== 'INVALID_PROJECT') return error
  const all = error.details ?? []
  const details = all.filter(({ path }) => !/^(?:policies|masking)\//.test(path))
  if (details.length === all.length) return error
  const more = { path: 'policies', message: 'a policy or mask needs what this change takes away' }
  const message = 'The project does not compile with this change'
  return new AppError('INVALID_PROJECT', message, { details: [...details, more] })
}

function isAdmin({ principal }: Caller): boolean {
  return principal.scopes.includes('admin')
}

function isAmong(kind: DefinitionKind, kinds: readonly DefinitionKind[] | undefined): boolean {
  return kinds === undefined || kinds.includes(kind)
}

function editsBetween(
  present: readonly StoredDefinition[],
  then: readonly StoredDefinition[],
): Edit[] {
  const keyOf = ({ kind, name }: StoredDefinition): string => `${kind}/${name}`
  const texts = new Map(present.map((each) => [keyOf(each), each.text]))
  const wanted = new Set(then.map(keyOf))
  const changed = then.filter((each) => texts.get(keyOf(each)) !== each.text)
  const gone = present.filter((each) => !wanted.has(keyOf(each)))
  return [
    ...changed.map(({ kind, name, text }) => ({ kind, name, text })),
    ...gone.map(({ kind, name }) => ({ kind, name, text: undefined })),
  ]
}

function find({ definitions }: Head, kind: string, name: string): StoredDefinition | undefined {
  return definitions.find((each) => each.kind === kind && each.name === name)
}

function notFound(kind: EditableKind, name: string): never {
  throw new AppError('NOT_FOUND', `There is no ${JSON.stringify(name)} among the ${kind}`)
}
