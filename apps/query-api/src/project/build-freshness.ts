import type { Freshness } from './data-checks.js'
import type { SourceShape } from './definition-schemas.js'
import { type Defined, part, type Problems } from './problems.js'
import { byName, type Named } from './named.js'
import type { FreshnessShape, SpanShape } from './property-shapes.js'
import { quotedTable, quoted } from './table-names.js'

type Table = SourceShape['tables'][number]

const SECONDS = { minute: 60, hour: 3600, day: 86_400 } as const

/**
 * What tables are to be how fresh, by `source.table`. A table's own settings come before those of its source; `null`
 * leaves it out, and so does having no `loaded_at_field` where the source alone asks for freshness.
 */
export function buildFreshness(
  sources: readonly Defined<SourceShape>[],
  problems: Problems,
): Named<Freshness> {
  const all = sources.flatMap((source) => {
    if (source.shape.freshness) checkSpans(source, source.shape.freshness, problems)
    return source.shape.tables.flatMap((table, at) => {
      return freshnessOf(source.shape, part(source, ['tables', at], table), problems) ?? []
    })
  })
  return byName(all)
}

function freshnessOf(
  source: SourceShape,
  table: Defined<Table>,
  problems: Problems,
): Freshness | undefined {
  const own = table.shape.freshness
  const limits = own === undefined ? source.freshness : own
  const field = table.shape.loaded_at_field ?? source.loaded_at_field
  if (own) checkSpans(table, own, problems)
  if (own && field === undefined) {
    problems.on(table, ['freshness'], 'freshness needs loaded_at_field: the column that says when')
  }
  if (!limits || field === undefined) return undefined
  checkField(table, field, problems)
  const { schema = source.name } = source
  const name = { schema, table: table.shape.name }
  return {
    name: `${source.name}.${table.shape.name}`,
    source: source.name,
    table: name,
    age: `select extract(epoch from statement_timestamp() - max(${quoted(field)})::timestamptz)::float8 as value from ${quotedTable(name)}`,
    warnAfterSeconds: secondsOf(limits.warn_after),
    errorAfterSeconds: secondsOf(limits.error_after),
  }
}

function checkSpans(of: Defined<unknown>, limits: FreshnessShape, problems: Problems): void {
  if (limits.warn_after || limits.error_after) return
  problems.on(of, ['freshness'], 'freshness needs warn_after or error_after, or both')
}

function checkField(table: Defined<Table>, field: string, problems: Problems): void {
  const columns = table.shape.columns?.map((column) => column.name)
  if (!columns || columns.includes(field)) return
  problems.unknown(table, ['loaded_at_field'], ['column', field], columns)
}

function secondsOf(span: SpanShape | undefined): number | undefined {
  return span && span.count * SECONDS[span.period]
}
