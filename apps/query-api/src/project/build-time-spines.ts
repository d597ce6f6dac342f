import type { ProjectShape } from './definition-schemas.js'
import { type Defined, part, type Problems } from './problems.js'
import { GRANULARITIES, type TimeSpine } from './project.js'
import { type Readable, tableRelation } from './select.js'
import { SqlProblem } from './sql-tree.js'

/** Time spines from fine to coarse. Their tables are declared like all others. */
export function buildTimeSpines(
  project: Defined<ProjectShape>,
  readable: Readable,
  problems: Problems,
): TimeSpine[] {
  const spines = project.shape.time_spines.flatMap((shape, index): TimeSpine[] => {
    const defined = part(project, ['time_spines', index], shape)
    const relation = problems.parsing(defined, ['sql_table'], () => {
      const [qualifier = '', name = '', ...others] = shape.sql_table.split('.')
      if (others.length > 0 || name === '') throw new SqlProblem('expected source.table', 0)
      return tableRelation(qualifier, name, readable, 0)
    })
    if (!relation) return []
    for (const [key, column] of [['column', shape.column], ...Object.entries(shape.calendar)]) {
      if (relation.columns === undefined || column === undefined) continue
      if (relation.columns.includes(column)) continue
      const at = key === 'column' ? ['column'] : ['calendar', key ?? '']
      problems.unknown(defined, at, ['column', column], relation.columns)
    }
    const { granularity, column, calendar } = shape
    return [{ granularity, table: relation.text, column, calendar }]
  })
  return spines.sort((a, b) => {
    return GRANULARITIES.indexOf(a.granularity) - GRANULARITIES.indexOf(b.granularity)
  })
}
