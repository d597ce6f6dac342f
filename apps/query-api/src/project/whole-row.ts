/**
 * Functions of PostgreSQL that take any row and tell what is in it. `orders.to_jsonb` means `to_jsonb(orders)` where
 * `orders` has no column of that name: a name that looks like a column would show all of them.
 */
const WHOLE_ROW_FUNCTIONS: ReadonlySet<string> = new Set(
  `any_out any_value anycompatible_out anycompatiblenonarray_out anyelement_out anynonarray_out array_agg concat
  hash_record json_agg json_agg_strict json_build_array json_build_object jsonb_agg jsonb_agg_strict
  jsonb_build_array jsonb_build_object max min quote_literal quote_nullable record_out record_send row_to_json
  to_json to_jsonb`
    .trim()
    .split(/\s+/),
)

/** Whether a qualified column of this name may be a call: it is a column for certain only where it is declared. */
export function isWholeRowFunction(name: string): boolean {
  return WHOLE_ROW_FUNCTIONS.has(name)
}
