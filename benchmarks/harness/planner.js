/**
 * The planner of query-api as it is built, for measuring it without a server around it.
 * @type {{
 *   loadProject: typeof import('../../apps/query-api/src/project/load-project.js').loadProject,
 *   guardAll: typeof import('../../apps/query-api/src/query/run-query.js').guardAll,
 *   renderSql: typeof import('../../apps/query-api/src/sql/render-sql.js').renderSql,
 * }}
 */
export const planner = Object.assign(
  {},
  await import(built('project/load-project.js')),
  await import(built('query/run-query.js')),
  await import(built('sql/render-sql.js')),
)

/** @param {string} file */
function built(file) {
  return new URL(`../../apps/query-api/dist/${file}`, import.meta.url).href
}
