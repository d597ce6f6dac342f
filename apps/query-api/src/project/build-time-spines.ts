import type { ProjectShape } from './definition-schemas.js'
import { type Defined, part, type Problems } from './problems.js'
import type { Named } from './named.js'
import { type Cube, GRANULARITIES, type Masking, type Policy, type TimeSpine } from './project.js'
import { type Readable, tableRelation } from './select.js'
import { SqlProblem } from './sql-tree.js'

type SpineShape = ProjectShape['time_spines'][number]

/** Time spines from fine to coarse: declared tables, or all periods between two dates. */
export function buildTimeSpines(
  project: Defined<ProjectShape>,
  readable: Readable,
  problems: Problems,
): TimeSpine[] {
  const spines = project.shape.time_spines.flatMap((shape, index): TimeSpine[] => {
    const defined = part(project, ['time_spines', index], shape)
    return shape.sql_table === undefined
      ? generated(defined, problems)
      : ofTable(defined, shape.sql_table, readable, problems)
  })
  return spines.sort((a, b) => {
    return GRANULARITIES.indexOf(a.granularity) - GRANULARITIES.indexOf(b.granularity)
  })
}

function ofTable(
  defined: Defined<SpineShape>,
  table: string,
  readable: Readable,
  problems: Problems,
): TimeSpine[] {
  const { granularity, column, calendar, from, to } = defined.shape
  const relation = problems.parsing(defined, ['sql_table'], () => {
    const [qualifier = '', name = '', ...others] = table.split('.')
    if (others.length > 0 || name === '') throw new SqlProblem('expected source.table', 0)
    return tableRelation(qualifier, name, readable, 0)
  })
  if (from !== undefined || to !== undefined) {
    problems.on(defined, ['granularity'], 'a time spine is either a table or from … to')
  }
  if (!relation) return []
  const columns = relation.columns ?? [column, ...Object.values(calendar)]
  if (!columns.includes(column)) problems.unknown(defined, ['column'], ['column', column], columns)
  for (const [name, own] of Object.entries(calendar)) {
    if (!columns.includes(own))
      problems.unknown(defined, ['calendar', name], ['column', own], columns)
  }
  const { text, tables } = relation
  return [{ granularity, table: text, tables, column, calendar }]
}

function generated(defined: Defined<SpineShape>, problems: Problems): TimeSpine[] {
  const { granularity, from, to, calendar } = defined.shape
  if (from === undefined || to === undefined || Object.keys(calendar).length > 0) {
    problems.on(
      defined,
      ['granularity'],
      'a time spine needs sql_table, or from and to and no calendar',
    )
    return []
  }
  const step = granularity === 'quarter' ? '3 month' : `1 ${granularity}`
  const first = `date_trunc('${granularity}', timestamp '${from}')`
  const series = `generate_series(${first}, timestamp '${to} 23:59:59', interval '${step}')`
  const table = `(select "at" from ${series} as s ("at"))`
  return [{ granularity, table, tables: [], column: 'at', calendar: {} }]
}

/** Everybody may read a time spine, so it must be no table that policies protect. */
export function checkSpinesAreOpen(
  project: Defined<ProjectShape>,
  spines: readonly TimeSpine[],
  cubes: Named<Cube>,
  {
    rules,
    problems,
  }: { readonly rules: readonly (Policy | Masking)[]; readonly problems: Problems },
): void {
  const name = ({ schema, table }: { schema: string; table: string }): string =>
    `${schema}.${table}`
  const policed = new Set(rules.flatMap(({ cube }) => cubes[cube]?.relation.tables.map(name) ?? []))
  const closed = spines.flatMap(({ tables }) => tables).find((table) => policed.has(name(table)))
  if (closed) {
    const message = `${name(closed)} is read by a cube with policies and cannot be a time spine`
    problems.on(project, ['time_spines'], message)
  }
}
