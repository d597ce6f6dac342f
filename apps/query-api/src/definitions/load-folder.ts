import type { Caller } from '../audit/audit-event.js'
import type { ProjectFiles } from '../project/definitions.js'
import type { Project } from '../project/project.js'
import type { Change, Changed, Definitions, Head } from './definitions.service.js'
import { changesBetween, type Document, documentsOfFolder, isAboutPolicies } from './documents.js'

/** Who loads the project's folder. */
export interface FolderLoad {
  readonly files: ProjectFiles
  /** `undefined`: whoever runs the service. */
  readonly author?: Caller
  /** Whether files of policies count too; in the first revision they always do. */
  readonly takesPolicies: boolean
  readonly inspect?: Change['inspect']
}

/** What came of it. */
export interface FolderLoaded {
  /** `undefined`: nothing is new. */
  readonly changed: Changed | undefined
  readonly warnings: readonly string[]
}

/**
 * Makes the files of the project's folder the next revision. Definitions that were edited since are kept. Policies come from the folder
 * into the first revision; later files of theirs count only for an admin.
 * @throws AppError INVALID_PROJECT
 */
export async function loadFolder(
  definitions: Definitions,
  load: FolderLoad,
): Promise<FolderLoaded> {
  const { change, untaken } = folderChange(load)
  const changed = await definitions.change(change)
  return { changed, warnings: [...(changed?.kept ?? []), ...untaken()] }
}

/** What `loadFolder` would come to, without doing it. @throws AppError INVALID_PROJECT */
export async function previewFolder(
  definitions: Definitions,
  load: FolderLoad,
): Promise<{ readonly project: Project; readonly warnings: readonly string[] }> {
  const { change, untaken } = folderChange(load)
  const { project, kept } = await definitions.preview(change)
  return { project, warnings: [...kept, ...untaken()] }
}

function folderChange({ files, author, takesPolicies, inspect }: FolderLoad) {
  let ignored: readonly Document[] = []
  const change: Change = {
    author,
    summary: 'project folder',
    inspect,
    propose: (head) => {
      const documents = folderChanges(head, documentsOfFolder(files))
      const takesAll = takesPolicies || head.revision === 0
      ignored = takesAll ? [] : documents.filter(isAboutPolicies)
      return documents.filter((each) => !ignored.includes(each))
    },
  }
  const untaken = (): string[] =>
    ignored.map(({ name }) => `${name} has changed; only an admin changes policies`)
  return { change, untaken }
}

function folderChanges({ documents }: Head, folder: readonly Document[]): readonly Document[] {
  const edits = documents.filter(({ kind }) => kind !== 'file')
  return changesBetween(documents, [...folder, ...edits])
}
