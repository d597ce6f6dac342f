import type { ProjectFile } from '@olytix/config/yaml'

/** What a project is made of, besides its settings; `policies` filter rows, `masking` masks members. */
export const DEFINITION_KINDS = [
  'sources',
  'models',
  'cubes',
  'metrics',
  'policies',
  'masking',
] as const

export type DefinitionKind = (typeof DEFINITION_KINDS)[number]

/** One thing that a project defines, as its author wrote it. */
export interface Definition {
  readonly kind: DefinitionKind
  readonly name: string
  /** YAML of this definition alone; of a model its SQL. */
  readonly text: string
  /** The file that it stands in, or `<kind>/<name>` when it was edited outside of files. */
  readonly path: string
  readonly isEdited: boolean
}

/** A definition that stands in place of the one in the files, or of none; without text there is none of the name. */
export interface Edit {
  readonly kind: DefinitionKind
  readonly name: string
  readonly text: string | undefined
}

/** The files of a project folder, each with its path relative to the folder, and what was edited since. */
export interface ProjectFiles {
  readonly project: ProjectFile
  readonly sources: readonly ProjectFile[]
  /** SQL, and YAML that tells of it. */
  readonly models: readonly ProjectFile[]
  readonly cubes: readonly ProjectFile[]
  readonly metrics: readonly ProjectFile[]
  readonly policies: readonly ProjectFile[]
  readonly seeds?: readonly ProjectFile[]
  readonly tests?: readonly ProjectFile[]
  readonly edits?: readonly Edit[]
}

/** Which of a project's definitions are edited, and how. */
export class Edits {
  private readonly byKey: ReadonlyMap<string, Edit>

  constructor(edits: readonly Edit[] = []) {
    this.byKey = new Map(edits.map((edit) => [keyOf(edit.kind, edit.name), edit]))
  }

  has(kind: DefinitionKind, name: string): boolean {
    return this.byKey.has(keyOf(kind, name))
  }

  /** Those that are there still. */
  texts(kind: DefinitionKind): (ProjectFile & { readonly name: string })[] {
    return [...this.byKey.values()].flatMap((edit) => {
      if (edit.kind !== kind || edit.text === undefined) return []
      return [{ name: edit.name, path: `${kind}/${edit.name}`, text: edit.text }]
    })
  }

  /** Models are named by their files. One that is edited keeps its folder, for the settings of that folder. */
  models(files: readonly ProjectFile[]): ProjectFile[] {
    const edited = new Map(this.texts('models').map((edit) => [edit.name, edit.text]))
    const paths = new Map(files.map(({ path }) => [modelName(path), path]))
    const kept = files.filter(({ path }) => !this.has('models', modelName(path)))
    const changed = [...edited].map(([name, text]) => {
      return { path: paths.get(name) ?? `models/${name}.sql`, text }
    })
    return [...kept, ...changed]
  }
}

/** `models/marts/fct_orders.sql` defines `fct_orders`. */
export function modelName(path: string): string {
  return path.replace(/^.*\//, '').replace(/\.sql$/, '')
}

function keyOf(kind: DefinitionKind, name: string): string {
  return `${kind}/${name}`
}
