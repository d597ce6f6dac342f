import type { ProjectFile } from '@olytix/config/yaml'
import {
  type DefinitionKind,
  DEFINITION_KINDS,
  type Edit,
  type ProjectFiles,
} from '../project/definitions.js'
import { PROJECT_FILE, withoutConnections } from '../project/project-file.js'

export const DOCUMENT_KINDS = ['file', ...DEFINITION_KINDS] as const

export const DOCUMENT_STATES = ['present', 'deleted', 'none'] as const

/** A file of the folder by its path, or a definition that was edited since. @see the table `documents` */
export interface Document {
  readonly kind: (typeof DOCUMENT_KINDS)[number]
  readonly name: string
  readonly state: (typeof DOCUMENT_STATES)[number]
  readonly text: string | null
}

/** The folder's files as documents; of the project file what every replica may know. */
export function documentsOfFolder(files: ProjectFiles): Document[] {
  const { project, sources, models, cubes, metrics, policies, seeds = [], tests = [] } = files
  const yaml = [sources, cubes, metrics, policies]
  const all = [withoutConnections(project), ...yaml, models, seeds, tests].flat()
  return all.map(({ path, text }) => ({ kind: 'file', name: path, state: 'present', text }))
}

/** An edit of a definition. */
export function editDocument({ kind, name, text }: Edit): Document {
  return { kind, name, state: text === undefined ? 'deleted' : 'present', text: text ?? null }
}

/** What a project is compiled from. */
export function filesOfDocuments(documents: readonly Document[]): ProjectFiles {
  const files = documents.flatMap(({ kind, name, text }) =>
    kind === 'file' && text !== null ? [{ path: name, text }] : [],
  )
  const below = (folder: string): ProjectFile[] =>
    files
      .filter(({ path }) => path.startsWith(`${folder}/`))
      .sort((a, b) => (a.path < b.path ? -1 : 1))
  return {
    project: files.find(({ path }) => path === PROJECT_FILE) ?? { path: PROJECT_FILE, text: '' },
    sources: below('sources'),
    models: below('models'),
    cubes: below('cubes'),
    metrics: below('metrics'),
    policies: below('policies'),
    seeds: below('seeds'),
    tests: below('tests'),
    edits: documents.flatMap(editOf),
  }
}

function editOf({ kind, name, state, text }: Document): Edit[] {
  return kind === 'file' || state === 'none' ? [] : [{ kind, name, text: text ?? undefined }]
}

/** `before` with documents of `changed` in place of those of the same name. */
export function withChanges(
  before: readonly Document[],
  changed: readonly Document[],
): readonly Document[] {
  return [...new Map([...before, ...changed].map((each) => [keyOf(each), each])).values()]
}

/** The documents that turn `before` into `after`. */
export function changesBetween(
  before: readonly Document[],
  after: readonly Document[],
): readonly Document[] {
  const wanted = new Map(after.map((each) => [keyOf(each), each]))
  const known = new Map(before.map((each) => [keyOf(each), each]))
  const gone = before.flatMap((each): Document[] =>
    wanted.has(keyOf(each)) || each.state === 'none'
      ? []
      : [{ ...each, state: 'none', text: null }],
  )
  const changed = after.filter((each) => {
    const old = known.get(keyOf(each))
    if (each.state === 'none' && (!old || old.state === 'none')) return false
    return old?.state !== each.state || old.text !== each.text
  })
  return [...gone, ...changed]
}

/** Whether a document says who may see what. */
export function isAboutPolicies({ kind, name }: Document): boolean {
  return kind === 'file' ? name.startsWith('policies/') : RULES.includes(kind)
}

const RULES: readonly string[] = ['policies', 'masking'] satisfies DefinitionKind[]

function keyOf({ kind, name }: Document): string {
  return `${kind}/${name}`
}
