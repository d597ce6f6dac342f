import { problemAt, type ProjectFile, quote } from '@olytix/config/yaml'
import type { SourceShape } from './definition-schemas.js'
import type { Defined, Problems } from './problems.js'
import { part } from './problems.js'
import { byName, type Model, type Named, named, type Relation, type Source } from './project.js'
import { parseRelation, type Readable } from './select.js'
import { suggest } from '@olytix/errors'
import { SqlProblem } from './sql-tree.js'

/** Sources by name; their tables by name. Without `schema` a source's schema has the source's name. */
export function buildSources(
  definitions: readonly Defined<SourceShape>[],
  problems: Problems,
): Named<Source> {
  return byName(
    problems.distinct('source', definitions).map((definition): Source => {
      const { name, description = '', schema = name, tables } = definition.shape
      const defined = tables.map((table, index) => part(definition, ['tables', index], table))
      const built = problems.distinct('table', defined).map(({ shape }) => ({
        name: shape.name,
        schema,
        table: shape.name,
        description: shape.description ?? '',
        columns: shape.columns?.map((column) => column.name),
      }))
      return { name, description, tables: byName(built) }
    }),
  )
}

/** What a SELECT may read: the tables of sources, and models through `model`. */
export function readableFrom(
  sources: Named<Source>,
  model: (name: string, offset: number) => Relation,
): Readable {
  const tables = Object.values(sources).flatMap(({ name, tables: all }) =>
    Object.values(all).map((table) => ({ ...table, source: name })),
  )
  return {
    table: (qualifier, name) =>
      tables.find((each) => each.source === qualifier && each.table === name) ??
      tables.find((each) => each.schema === qualifier && each.table === name),
    tableNames: tables.map(({ source, table }) => `${source}.${table}`),
    model,
  }
}

/** Models by name, each a sub-query with the models it reads put in. A circle of models is refused. */
export function buildModels(
  files: readonly ProjectFile[],
  sources: Named<Source>,
  problems: Problems,
): Named<Model> {
  const texts = new Map(files.map((file) => [modelName(file.path), file]))
  const built = new Map<string, Relation | undefined>()
  const build = (name: string, inProgress: readonly string[]): Relation | undefined => {
    const file = texts.get(name)
    if (!file || built.has(name)) return built.get(name)
    const readable = readableFrom(sources, (other, offset) => {
      if (other === name || inProgress.includes(other)) {
        throw new SqlProblem(`model ${quote(other)} would read itself`, offset)
      }
      const known = texts.has(other) ? build(other, [...inProgress, name]) : undefined
      if (known) return known
      throw new SqlProblem(`unknown model ${quote(other)}`, offset, suggest(other, texts.keys()))
    })
    built.set(name, parseModel(file, readable, problems))
    return built.get(name)
  }
  for (const name of texts.keys()) build(name, [])
  return named(
    [...built].flatMap(([name, relation]) => (relation ? [[name, { name, relation }]] : [])),
  )
}

function modelName(path: string): string {
  return path.replace(/^.*\//, '').replace(/\.sql$/, '')
}

function parseModel(
  file: ProjectFile,
  readable: Readable,
  problems: Problems,
): Relation | undefined {
  try {
    return parseRelation(withoutConfig(file.text), readable)
  } catch (error) {
    if (!(error instanceof SqlProblem)) throw error
    const before = file.text.slice(0, error.offset).split('\n')
    const place = {
      file: file.path,
      line: before.length,
      column: (before.at(-1)?.length ?? 0) + 1,
    }
    problems.found.push(problemAt(place, error.message, error.suggestion))
    return undefined
  }
}

/** Every model is a view for now, so `{{ config(…) }}` may say nothing else. */
function withoutConfig(text: string): string {
  return text.replace(
    /\{\{-?\s*config\(([^)]*)\)\s*-?\}\}/g,
    (whole, settings: string, at: number) => {
      const materialized = /materialized\s*=\s*['"](\w+)['"]/.exec(settings)?.[1] ?? 'view'
      if (!['view', 'ephemeral'].includes(materialized)) {
        throw new SqlProblem(`materialized=${quote(materialized)} is not supported yet`, at, 'view')
      }
      return ' '.repeat(whole.length)
    },
  )
}
