import type { SourceShape } from './definition-schemas.js'
import type { Defined, Problems } from './problems.js'
import { part } from './problems.js'
import { byName, type Named } from './named.js'
import type { Source } from './project.js'
import type { Readable } from './select.js'

/** `pg_stats` shows values of columns, whoever may see them. */
export const SERVERS_OWN = /^(pg_.*|information_schema)$/i

/** Sources by name; their tables by name. Without `schema` a source's schema has the source's name. */
export function buildSources(
  definitions: readonly Defined<SourceShape>[],
  problems: Problems,
): Named<Source> {
  return byName(
    problems.distinct('source', definitions).map((definition): Source => {
      const { name, description = '', schema = name, tables } = definition.shape
      if (SERVERS_OWN.test(schema)) {
        problems.on(
          definition,
          ['name'],
          `schema ${schema} is the server's own and tells of all others`,
        )
      }
      refuseVariables(definition, problems)
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

/** Those of files are replaced before; what comes from a caller must not learn what stands in the environment. */
function refuseVariables(definition: Defined<SourceShape>, problems: Problems): void {
  const { schema = '', tables } = definition.shape
  const message = '${NAME} is replaced in the files of the project folder only'
  if (VARIABLE.test(schema)) problems.on(definition, ['schema'], message)
  for (const [index, { name }] of tables.entries()) {
    if (VARIABLE.test(name)) problems.on(definition, ['tables', index, 'name'], message)
  }
}

const VARIABLE = /\$\{[A-Za-z_][A-Za-z0-9_]*\}/

/** What a SELECT may read: the tables of sources, and models through `model`. */
export function readableFrom(sources: Named<Source>, model: Readable['model']): Readable {
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
