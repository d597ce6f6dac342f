import { formatPath, quote, shapeProblems, strict } from '@olytix/config/yaml'
import { z } from 'zod'
import type { ProjectShape } from './definition-schemas.js'
import type { Defined, Problems } from './problems.js'
import { SqlProblem } from './sql-tree.js'
import type { TemplateCall } from './template.js'

const identifier = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_]{0,62}$/,
    'expected a name of letters, digits and _, at most 63 long',
  )
const tag = z.string().regex(/^[\w-]{1,63}$/, 'expected a tag of letters, digits, _ and -')
const key = z.string().min(1)

/** `{{ config(…) }}` of a model, and with `+` before each key the project file's settings for folders of them. */
const settingsShape = strict({
  materialized: z.enum(['view', 'table', 'incremental', 'ephemeral']).optional(),
  schema: identifier.optional(),
  alias: identifier.optional(),
  tags: z.union([tag, z.array(tag)]).optional(),
  enabled: z.boolean().optional(),
  unique_key: z.union([key, z.array(key)]).optional(),
  incremental_strategy: z.enum(['append', 'delete+insert', 'merge']).optional(),
})

type Settings = z.output<typeof settingsShape>

/** The settings of a folder below `models/`, or of one model in it. */
interface FolderSettings {
  readonly path: readonly string[]
  readonly settings: Settings
}

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
    const parsed = settingsShape.safeParse(
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
 * Whether a model is there at all: as its folders say from the outermost on, and its file's own `config` last.
 * @throws SqlProblem for settings that cannot be
 */
export function isEnabled(
  path: string,
  folders: readonly FolderSettings[],
  configs: readonly TemplateCall[],
): boolean {
  const steps = path
    .replace(/^models\//, '')
    .replace(/\.sql$/, '')
    .split('/')
  const ofFolders = folders.filter((folder) => folder.path.every((step, at) => steps[at] === step))
  const all = [...ofFolders.map(({ settings }) => settings), ...configs.map(readConfig)]
  const materialized = all.flatMap((settings) => settings.materialized ?? []).at(-1)
  if (materialized === 'table' || materialized === 'incremental') {
    const at = configs.at(-1)?.offset ?? 0
    throw new SqlProblem(`materialized=${quote(materialized)} is not supported yet`, at, 'view')
  }
  return all.flatMap(({ enabled }) => enabled ?? []).at(-1) ?? true
}

function readConfig({ values = [], named, offset, isConditional }: TemplateCall): Settings {
  if (isConditional) throw new SqlProblem('config(…) stands outside of conditions', offset)
  if (values.length > 0) throw new SqlProblem('config(…) takes key=value', offset)
  const parsed = settingsShape.safeParse(Object.fromEntries(named), { reportInput: true })
  if (parsed.success) return parsed.data
  for (const { path, message, suggestion } of shapeProblems(parsed.error)) {
    throw new SqlProblem(`config: ${formatPath(path)}: ${message}`, offset, suggestion)
  }
  return {}
}
