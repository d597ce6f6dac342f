/** OIDs of pg_type, as `select oid, typname from pg_type` gives them in every PostgreSQL. */
const BOOLEAN = 16
const DATE = 1082
const TIMESTAMP = 1114
const TIMESTAMPTZ = 1184
const SMALL_INTEGERS: ReadonlySet<number> = new Set([21, 23])
const INTEGERS: ReadonlySet<number> = new Set([20, 26])
const FLOATS: ReadonlySet<number> = new Set([700, 701])
const NUMERIC = 1700

/** What the values of a column are, by PostgreSQL's type. */
export type ValueKind =
  | 'boolean'
  | 'int32'
  | 'int64'
  | 'float'
  | 'numeric'
  | 'date'
  | 'timestamp'
  | 'timestamptz'
  | 'text'

export function kindOf(typeOid: number): ValueKind {
  if (SMALL_INTEGERS.has(typeOid)) return 'int32'
  if (INTEGERS.has(typeOid)) return 'int64'
  if (FLOATS.has(typeOid)) return 'float'
  return OTHERS.get(typeOid) ?? 'text'
}

const OTHERS: ReadonlyMap<number, ValueKind> = new Map([
  [BOOLEAN, 'boolean'],
  [NUMERIC, 'numeric'],
  [DATE, 'date'],
  [TIMESTAMP, 'timestamp'],
  [TIMESTAMPTZ, 'timestamptz'],
])

/** What the values of a column of this type are to those who read an answer. */
export function typeOfColumn(typeOid: number): 'string' | 'number' | 'boolean' | 'time' {
  return TYPES[kindOf(typeOid)]
}

const TYPES = {
  boolean: 'boolean',
  int32: 'number',
  int64: 'number',
  float: 'number',
  numeric: 'number',
  date: 'time',
  timestamp: 'time',
  timestamptz: 'time',
  text: 'string',
} as const
