/** Types that a column of a seed may have, by PostgreSQL's names. */
export const SEED_TYPES = [
  'boolean',
  'integer',
  'bigint',
  'numeric',
  'date',
  'timestamp',
  'timestamptz',
  'text',
] as const

export type SeedType = (typeof SEED_TYPES)[number]

const DIGITS = /^-?(0|[1-9]\d*)$/
const DECIMAL = /^-?(0|[1-9]\d{0,999})(\.\d{1,999})?$/
const CLOCK = '([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d(\\.\\d{1,6})?)?'
const LOCAL_TIME = new RegExp(`^(\\d{4}-\\d{2}-\\d{2})[ T]${CLOCK}$`)
const ZONED_TIME = new RegExp(`^(\\d{4}-\\d{2}-\\d{2})[ T]${CLOCK}(Z|[+-](0\\d|1[0-4]):?[0-5]\\d)$`)

/** What a text must be to become a value of a type, and how it is written. */
const FORMS: Readonly<
  Record<SeedType, { readonly holds: (text: string) => boolean; readonly form: string }>
> = {
  boolean: { holds: (text) => /^(true|false)$/i.test(text), form: 'true or false' },
  integer: { holds: (text) => isWhole(text, 31n), form: 'a whole number of at most 4 bytes' },
  bigint: { holds: (text) => isWhole(text, 63n), form: 'a whole number of at most 8 bytes' },
  numeric: { holds: (text) => DECIMAL.test(text), form: 'a number such as -12.50' },
  date: { holds: isDate, form: 'a date such as 2026-01-31' },
  timestamp: {
    holds: (text) => isDate(LOCAL_TIME.exec(text)?.[1] ?? ''),
    form: 'a time without zone such as 2026-01-31 12:30:00',
  },
  timestamptz: {
    holds: (text) => isDate(ZONED_TIME.exec(text)?.[1] ?? ''),
    form: 'a time with its zone such as 2026-01-31T12:30:00Z',
  },
  text: { holds: (text) => !text.includes('\0'), form: 'a text without NUL characters' },
}

const INFERRED: readonly SeedType[] = [
  'boolean',
  'bigint',
  'numeric',
  'date',
  'timestamp',
  'timestamptz',
]

/** The narrowest type that holds all values. `007` is a text, for a number would lose its zeros; so is no value at all. */
export function inferType(values: readonly (string | null)[]): SeedType {
  const given = values.filter((value) => value !== null)
  if (given.length === 0) return 'text'
  return INFERRED.find((type) => given.every((value) => FORMS[type].holds(value))) ?? 'text'
}

/** What was expected instead; `undefined` when the text is of the type. */
export function expectedForm(type: SeedType, text: string): string | undefined {
  const { holds, form } = FORMS[type]
  return holds(text) ? undefined : form
}

function isWhole(text: string, bits: bigint): boolean {
  if (!DIGITS.test(text) || text.length > 20) return false
  const value = BigInt(text)
  return value >= -(2n ** bits) && value < 2n ** bits
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || text.startsWith('0000')) return false
  const date = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
}
