import { AppError } from '@olytix/errors'
import type { Caller } from '../audit/audit-event.js'
import type { DefinitionVersion, StoredDefinition } from '../definitions/stored-definition.js'
import type { Changed, Definitions, Head } from '../definitions/definitions.service.js'
import { type Document, editDocument } from '../definitions/documents.js'
import { type Precondition, requireMatch } from '../definitions/precondition.js'
import type { CurrentProject } from '../project/current-project.js'
import type { PolicyKind } from '../project/read-policy.js'

const KINDS: readonly PolicyKind[] = ['policies', 'masking']

/** Which policy, and in which state it must be. */
export interface PolicyTarget {
  readonly name: string
  readonly precondition: Precondition
}

/**
 * The policies of rows and of masks: both are called by one name. Each change is a revision of the definitions, compiled
 * with everything else, with an event in the audit trail; questions that begin after it follow it.
 */
export class PoliciesService {
  constructor(
    private readonly definitions: Definitions,
    private readonly projects: CurrentProject,
  ) {}

  list(): Promise<readonly StoredDefinition[]> {
    return this.definitions.list(KINDS)
  }

  /** @throws AppError NOT_FOUND */
  async get(name: string): Promise<StoredDefinition> {
    return (await this.list()).find((each) => each.name === name) ?? notFound(name)
  }

  /** Every change of it, newest first, also when it is gone. @throws AppError NOT_FOUND when there never was one */
  async history(name: string): Promise<readonly DefinitionVersion[]> {
    const versions = await this.definitions.versions(KINDS, name)
    return versions.length > 0 ? versions : notFound(name)
  }

  /**
   * Makes a policy, or puts it in place of the one of its name.
   * @param content as in a file of policies; with `mask`, one of masks
   * @throws AppError INVALID_PROJECT, PRECONDITION_FAILED
   */
  async put(
    caller: Caller,
    { name, precondition }: PolicyTarget,
    content: Readonly<Record<string, unknown>>,
  ): Promise<{ readonly policy: StoredDefinition; readonly isNew: boolean }> {
    const kind: PolicyKind = 'mask' in content ? 'masking' : 'policies'
    const text = `${JSON.stringify({ name, ...content }, null, 2)}\n`
    let isNew = false
    await this.change(caller, `put policy ${name}`, (head) => {
      const existing = find(head, name)
      requireMatch(existing, precondition)
      isNew = !existing
      if (existing?.kind === kind && existing.text === text) return []
      return [...without(existing, kind), editDocument({ kind, name, text })]
    })
    return { policy: await this.get(name), isNew }
  }

  /** @throws AppError NOT_FOUND, PRECONDITION_FAILED, INVALID_PROJECT when something needs it */
  async delete(caller: Caller, { name, precondition }: PolicyTarget): Promise<void> {
    await this.change(caller, `delete policy ${name}`, (head) => {
      const existing = find(head, name) ?? notFound(name)
      requireMatch(existing, precondition)
      return [editDocument({ kind: existing.kind, name, text: undefined })]
    })
  }

  private async change(
    author: Caller,
    summary: string,
    propose: (head: Head) => readonly Document[],
  ): Promise<Changed | undefined> {
    const changed = await this.definitions.change({ author, summary, propose })
    if (changed) this.projects.replace(changed)
    return changed
  }
}

function find({ definitions }: Head, name: string): StoredDefinition | undefined {
  return definitions.find((each) => each.name === name && KINDS.some((kind) => kind === each.kind))
}

/** One of the other kind makes room. */
function without(existing: StoredDefinition | undefined, kind: PolicyKind): Document[] {
  if (!existing || existing.kind === kind) return []
  return [editDocument({ kind: existing.kind, name: existing.name, text: undefined })]
}

function notFound(name: string): never {
  throw new AppError('NOT_FOUND', `There is no policy ${JSON.stringify(name)}`)
}
