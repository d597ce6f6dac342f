import { AppError } from '@olytix/errors'
import { EDITABLE_KINDS, type EditableKind } from './definition-editor.js'
import type { Definitions } from './definitions.service.js'
import { type DefinitionDiff, diffOf } from './revision-diff.js'
import type { DefinitionVersion, RevisionChange, RevisionSummary } from './stored-definition.js'

/** What became of sources, models, cubes and metrics, revision by revision. */
export class DefinitionHistory {
  constructor(private readonly definitions: Definitions) {}

  /** The newest first. */
  revisions(): Promise<readonly RevisionSummary[]> {
    return this.definitions.revisions()
  }

  /** A revision, and which definitions it changed. @throws AppError NOT_FOUND */
  async revision(
    revision: number,
  ): Promise<{ readonly summary: RevisionSummary; readonly changes: readonly RevisionChange[] }> {
    const summary = await this.find(revision)
    return { summary, changes: await this.definitions.changes(EDITABLE_KINDS, revision) }
  }

  /**
   * What differs in a revision from an earlier or later one.
   * @param from 0: from nothing at all
   * @throws AppError NOT_FOUND for revisions that never were
   */
  async diff(revision: number, from: number): Promise<readonly DefinitionDiff[]> {
    await this.find(revision)
    // The number before may be of another project in the same database: then it says what held at that time.
    if (from !== 0 && from !== revision - 1) await this.find(from)
    const [before, after] = await Promise.all([
      this.definitions.list(EDITABLE_KINDS, from),
      this.definitions.list(EDITABLE_KINDS, revision),
    ])
    return diffOf(before, after)
  }

  /** The changes of one definition, newest first. @throws AppError NOT_FOUND when there never was one */
  async of(kind: EditableKind, name: string): Promise<readonly DefinitionVersion[]> {
    const versions = await this.definitions.versions([kind], name)
    if (versions.length > 0) return versions
    throw new AppError('NOT_FOUND', `There never was ${JSON.stringify(name)} among the ${kind}`)
  }

  private async find(revision: number): Promise<RevisionSummary> {
    const found = await this.definitions.revision(revision)
    if (found) return found
    throw new AppError('NOT_FOUND', `There is no revision ${String(revision)}`)
  }
}
