/** @typedef {import('../../apps/query-api/src/project/project.js').Project} Project */
/** @typedef {{ tables: Record<string, { column: string, values: string[] }> }} Rules of rows, by table */

/**
 * Policies on tables (`rls.json`) as policies of ours, one for each cube that reads such a table.
 * @param {Project} project
 * @param {Rules} rules
 */
export function policyFile(project, { tables }) {
  const policies = Object.values(project.cubes).flatMap((cube) => {
    const [table] = cube.relation.tables
    const rule = table && tables[table.table]
    if (!rule) return []
    const dimension = Object.values(cube.dimensions).find(({ expression: { parts } }) => {
      const [only, ...others] = parts
      return others.length === 0 && typeof only === 'object' && only.column === rule.column
    })
    if (!dimension) throw new Error(`${cube.name} has no dimension for ${rule.column}`)
    const values = rule.values.map((value) => `'${value.replaceAll("'", "''")}'`).join(', ')
    const filter = `${dimension.name} in (${values})`
    return [{ name: `${cube.name}_rows`, cube: cube.name, roles: ['*'], filter }]
  })
  return JSON.stringify({ policies })
}
