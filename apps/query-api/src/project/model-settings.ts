import { formatPath, quote, shapeProblems, strict } from '@olytix/config/yaml'
import { z } from 'zod'
import { SERVERS_OWN } from './build-sources.js'
import type { ProjectShape } from './definition-schemas.js'
import type { Defined, Problems } from './problems.js'
import {
  type Hooks,
  INCREMENTAL_STRATEGIES,
  type IncrementalStrategy,
  type Materialization,
  MATERIALIZATIONS,
} from './model.js'
import { SqlProblem } from './sql-tree.js'
import type { TemplateCall } from './template.js'

const identifier = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_]{0,62}$/,
    'expected a name of letters, digits and _, at most 63 long',
  )
const tag = z.string().regex(/^[\w-]{1,63}$/, 'expected a tag of letters, digits, _ and -')
const schemaName = identifier.refine((name) => !SERVERS_OWN.test(name), 'is a schema of the server')
const oneOrMore = <T>(item: z.ZodType<T>): z.ZodType<readonly T[]> =>
  z.union([item.transform((one) => [one]), z.array(item)])

const settings = {
  materialized: z.enum(MATERIALIZATIONS).optional(),
  schema: schemaName.optional(),
  alias: identifier.optional(),
  tags: oneOrMore(tag).optional(),
  enabled: z.boolean().optional(),
  unique_key: oneOrMore(identifier).optional(),
  incremental_strategy: z.enum(INCREMENTAL_STRATEGIES).optional(),
}

/** `{{ config(…) }}` of a model. */
const configShape = strict(settings)

/** `+key` in the project file: the same for whole folders, and hooks, which stand nowhere else. */
const folderShape = strict({
  ...settings,
  pre_hook: oneOrMore(z.string().min(1)).optional(),
  post_hook: oneOrMore(z.string().min(1)).optional(),
})

type Settings = z.output<typeof folderShape>

/** The settings of a folder below `models/`, or of one model in it. */
export interface FolderSettings {
  readonly path: readonly string[]
  readonly settings: Settings
}

/** What a model's own file and the project file say about it, taken together. */
export interface ModelSettings {
  readonly materialized: Materialization
  readonly schema: string
  readonly alias: string
  readonly tags: readonly string[]
  readonly isEnabled: boolean
  readonly uniqueKey: readonly string[]
  readonly strategy: IncrementalStrategy
  readonly hooks: Hooks
}

/** Where models are kept when nothing else is said. */
const DEFAULT_SCHEMA = 'models'

const MAX_DEPTH = 10

/**
 * Reads `models:` of the project file: `+enabled: false` for everything, `staging: {+enabled: false}` for a folder or a
 * model of that name.
 */
export function readFolderSettings(
  project: Defined<ProjectShape>,
  problems: Problems,
): FolderSettings[] {
  const read = (
    tree: Readonly<Record<string, unknown>>,
    path: readonly string[],
  ): FolderSettings[] => {
    const own = Object.entries(tree).filter(([key]) => key.startsWith('+'))
    const below = Object.entries(tree).filter(([key]) => !key.startsWith('+'))
    const parsed = folderShape.safeParse(
      Object.fromEntries(own.map(([key, value]) => [key.slice(1), value])),
      { reportInput: true },
    )
    if (!parsed.success) {
      for (const { path: at, message, suggestion } of shapeProblems(parsed.error)) {
        const [key, ...rest] = at
        const hint = suggestion === undefined ? undefined : `+${suggestion}`
        problems.on(project, ['models', ...path, `+${String(key)}`, ...rest], message, hint)
      }
    }
    return [
      ...(parsed.success ? [{ path, settings: parsed.data }] : []),
      ...below.flatMap(([key, value]) => {
        const at = [...path, key]
        if (isTree(value) && at.length <= MAX_DEPTH) return read(value, at)
        problems.on(
          project,
          ['models', ...at],
          'expected settings, each with a + before it',
          `+${key}`,
        )
        return []
      }),
    ]
  }
  return read(project.shape.models ?? {}, [])
}

function isTree(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * The settings of one model: those of its folders from the outermost on, then its file's own.
 * @throws SqlProblem for settings that cannot be
 */
export function settingsOf(
  model: { readonly name: string; readonly path: string },
  folders: readonly FolderSettings[],
  configs: readonly TemplateCall[],
): ModelSettings {
  const steps = model.path
    .replace(/^models\//, '')
    .replace(/\.sql$/, '')
    .split('/')
  const ofFolders = folders.filter(({ path }) => path.every((step, at) => steps[at] === step))
  const all = [...ofFolders.map(({ settings: of }) => of), ...configs.map(readConfig)]
  const last = <K extends keyof Settings>(key: K): Settings[K] =>
    all.findLast((each) => each[key] !== undefined)?.[key]
  const uniqueKey = last('unique_key') ?? []
  const result: ModelSettings = {
    materialized: last('materialized') ?? 'view',
    schema: last('schema') ?? DEFAULT_SCHEMA,
    alias: last('alias') ?? model.name,
    tags: [...new Set(all.flatMap(({ tags = [] }) => tags))],
    isEnabled: last('enabled') ?? true,
    uniqueKey,
    strategy: last('incremental_strategy') ?? (uniqueKey.length > 0 ? 'delete+insert' : 'append'),
    hooks: {
      pre: all.flatMap(({ pre_hook: hooks = [] }) => hooks),
      post: all.flatMap(({ post_hook: hooks = [] }) => hooks),
    },
  }
  checkTogether(result, configs.at(-1)?.offset ?? 0)
  return result
}

function checkTogether({ strategy, uniqueKey }: ModelSettings, at: number): void {
  if (strategy !== 'append' && uniqueKey.length === 0) {
    throw new SqlProblem(`incremental_strategy=${quote(strategy)} needs a unique_key`, at)
  }
  if (strategy === 'append' && uniqueKey.length > 0) {
    throw new SqlProblem('incremental_strategy="append" has no use for a unique_key', at)
  }
}

function readConfig({ values = [], named, offset, isConditional }: TemplateCall): Settings {
  if (isConditional) throw new SqlProblem('config(…) stands outside of conditions', offset)
  if (values.length > 0) throw new SqlProblem('config(…) takes key=value', offset)
  const hook = [...named.keys()].find((key) => /^(pre|post)_hook$/.test(key))
  if (hook !== undefined) {
    const message = `${hook} is no setting of a model; hooks stand in the project file, as +${hook}`
    throw new SqlProblem(message, offset)
  }
  const parsed = configShape.safeParse(Object.fromEntries(named), { reportInput: true })
  if (parsed.success) return parsed.data
  for (const { path, message, suggestion } of shapeProblems(parsed.error)) {
    throw new SqlProblem(`config: ${formatPath(path)}: ${message}`, offset, suggestion)
  }
  return {}
}
