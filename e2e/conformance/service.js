/**
 * The service as it is built, asked without HTTP so that policies can be put in and out.
 * @typedef {{
 *   loadProject: typeof import('../../apps/query-api/src/project/load-project.js').loadProject,
 *   runQuery: typeof import('../../apps/query-api/src/query/run-query.js').runQuery,
 *   metrics: typeof import('../../apps/query-api/src/semantics/metric-inputs.js'),
 *   dimensions: typeof import('../../apps/query-api/src/semantics/asked-dimensions.js'),
 *   Warehouse: typeof import('../../apps/query-api/src/warehouse/warehouse.js').Warehouse,
 * }} Service
 */

/** @typedef {import('../../apps/query-api/src/project/project.js').Project} Project */

/** @returns {Promise<Service>} */
export async function loadService() {
  const [project, query, metrics, dimensions, warehouse] = await Promise.all([
    import(built('project/load-project.js')),
    import(built('query/run-query.js')),
    import(built('semantics/metric-inputs.js')),
    import(built('semantics/asked-dimensions.js')),
    import(built('warehouse/warehouse.js')),
  ])
  return { ...project, ...query, ...warehouse, metrics, dimensions }
}

/** @param {string} file */
function built(file) {
  return new URL(`../../apps/query-api/dist/${file}`, import.meta.url).href
}
