/**
 * What SQL in definitions may use. Everything else is refused: a list of what is forbidden would never be complete
 * (`query_to_xml` runs SQL, `set_config` changes who is asking, `pg_sleep` waits).
 */

/** Functions of one row: without side effects, without access to other rows, bounded in time and memory. */
export const ROW_FUNCTIONS: ReadonlySet<string> = new Set(
  `abs ceil ceiling floor round trunc sign sqrt cbrt power exp ln log mod div degrees radians width_bucket
  lower upper initcap length char_length character_length octet_length trim btrim ltrim rtrim left right substring
  substr position strpos replace translate overlay split_part concat concat_ws reverse starts_with regexp_replace
  regexp_substr md5 ascii chr
  to_char to_date to_timestamp to_number date_trunc date_part date_bin extract age make_date make_time make_timestamp
  make_interval justify_days justify_hours justify_interval timezone isfinite
  num_nulls num_nonnulls array_length cardinality array_position
  jsonb_extract_path jsonb_extract_path_text json_extract_path json_extract_path_text jsonb_typeof`
    .trim()
    .split(/\s+/),
)

/** Functions that make one value of many rows. */
export const AGGREGATES: ReadonlySet<string> = new Set(
  `count sum avg min max bool_and bool_or every string_agg array_agg mode percentile_cont percentile_disc
  stddev stddev_pop stddev_samp variance var_pop var_samp any_value`
    .trim()
    .split(/\s+/),
)

/** Further functions of a SELECT: aggregates and window functions. */
export const SELECT_FUNCTIONS: ReadonlySet<string> = new Set([
  ...ROW_FUNCTIONS,
  ...AGGREGATES,
  ...`row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value`
    .trim()
    .split(/\s+/),
])

/** Functions of arithmetic over metrics. */
export const VALUE_FUNCTIONS: ReadonlySet<string> = new Set(
  'abs ceil ceiling floor round trunc sign sqrt power exp ln log mod'.split(' '),
)

/** Types that values may be cast to, by the grammar's own names. None of them looks anything up, as `regclass` does. */
export const TYPES: ReadonlySet<string> = new Set(
  `text varchar bpchar bool int2 int4 int8 numeric float4 float8 date time timetz timestamp timestamptz interval uuid
  json jsonb`
    .trim()
    .split(/\s+/),
)

export const OPERATORS_OF_SQL: ReadonlySet<string> = new Set(
  '+ - * / % ^ || = <> != < > <= >= ~ ~* !~ !~* ~~ ~~* !~~ !~~* -> ->> #> #>> @> <@ ?'.split(' '),
)

/** Parts of the grammar that an expression over one row may consist of. */
export const EXPRESSION_NODES: ReadonlySet<string> = new Set(
  `ColumnRef A_Const A_Expr BoolExpr NullTest BooleanTest CaseExpr CaseWhen CoalesceExpr MinMaxExpr FuncCall TypeCast
  TypeName String Integer Float Boolean List A_ArrayExpr SQLValueFunction`
    .trim()
    .split(/\s+/),
)

/** Further parts that a SELECT may consist of. Notably absent: functions in FROM, INTO, locking, sampling, parameters. */
export const SELECT_NODES: ReadonlySet<string> = new Set([
  ...EXPRESSION_NODES,
  ...`SelectStmt ResTarget RangeVar RangeSubselect JoinExpr Alias SortBy WindowDef WithClause CommonTableExpr SubLink
  GroupingSet GroupingFunc A_Star RowExpr`
    .trim()
    .split(/\s+/),
])

/** `current_date` and its kin, which depend on the moment alone; not `current_user` and its kin. */
export const VALUE_KEYWORDS: ReadonlySet<string> = new Set(
  ['CURRENT_DATE', 'CURRENT_TIMESTAMP', 'LOCALTIMESTAMP', 'CURRENT_TIME', 'LOCALTIME'].map(
    (name) => `SVFOP_${name}`,
  ),
)

/** Operators that cannot fail and tell nothing, whatever the row holds. */
export const QUIET_OPERATORS: ReadonlySet<string> = new Set(['=', '<>', '<', '>', '<=', '>='])
