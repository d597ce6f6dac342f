/**
 * The planner of query-api as it is built, for measuring it without a server around it.
 * @type {{
 *   loadProject: typeof import('../../apps/query-api/src/project/load-project.js').loadProject,
 *   planQuestion: typeof import('../../apps/query-api/src/query/plan-question.js').planQuestion,
 * }}
 */
export const planner = Object.assign(
  {},
  await import(built('project/load-project.js')),
  await import(built('query/plan-question.js')),
)

/** @param {string} file */
function built(file) {
  return new URL(`../../apps/query-api/dist/${file}`, import.meta.url).href
}
