/**
 * A question as the cases hold it (`cases.json`), and its answer.
 * @typedef {{
 *   id: string, tier: string, model: string,
 *   metrics: string[], group_bys: string[], group_by_objs: import('./names.js').Group[],
 *   where_filter: string | null, wheres?: string[], time_constraint: [string, string] | null,
 *   order_bys: string[], limit: number | null,
 *   min_max_only: boolean, apply_group_by: boolean, saved_query: string | null, check_order: boolean,
 *   check_query_pg: string, expected_columns: { name: string }[], expected_row_count: number,
 *   expected_rows: import('./compare.js').Row[] | null, expected_rows_sha256?: string,
 *   also_accepted_rows?: import('./compare.js').Row[][]
 * }} Case
 *
 * What a case asks, with all conditions in one list.
 * @typedef {Case & { wheres: string[] }} Asked
 */

/** @typedef {{ metrics: string[], group_bys: string[], where?: string, order_bys?: string[], limit?: number }} SavedQuery */

/**
 * A saved query is asked as what it stands for: we have none.
 * @param {Case} given
 * @param {Readonly<Record<string, SavedQuery>>} saved
 * @returns {Asked}
 */
export function asked(given, saved) {
  const own = { ...given, wheres: given.where_filter ? [given.where_filter] : [] }
  const query = given.saved_query === null ? undefined : saved[given.saved_query]
  if (!query) return own
  return {
    ...own,
    metrics: [...query.metrics, ...given.metrics],
    group_bys: [...query.group_bys, ...given.group_bys],
    order_bys: given.order_bys.length > 0 ? given.order_bys : (query.order_bys ?? []),
    limit: given.limit ?? query.limit ?? null,
    wheres: [...(query.where === undefined ? [] : [query.where]), ...own.wheres],
  }
}
