/** Stand for PostgreSQL's `infinity` and `-infinity`, as in PostgreSQL itself: the ends of the type. */
const LAST_DAY = 2_147_483_647
const FIRST_DAY = -2_147_483_648
const LAST_MICROSECOND = 2n ** 63n - 1n
const FIRST_MICROSECOND = -(2n ** 63n)

const DAY_SECONDS = 86_400n

/** Days from 1970-01-01 to PostgreSQL's text for a date, or for a time of that day: `2016-01-31`, `0044-03-15 BC`. */
export function toDays(text: string): number {
  if (text === 'infinity') return LAST_DAY
  if (text === '-infinity') return FIRST_DAY
  const [, year = '', month = '', day = ''] = /^(\d+)-(\d\d)-(\d\d)/.exec(text) ?? []
  const inEra = Number(year)
  return daysFromCivil(text.endsWith(' BC') ? 1 - inEra : inEra, Number(month), Number(day))
}

/** Microseconds from 1970-01-01 00:00 to PostgreSQL's text for a timestamp; in UTC if the text has an offset. */
export function toMicroseconds(text: string): bigint {
  if (text === 'infinity') return LAST_MICROSECOND
  if (text === '-infinity') return FIRST_MICROSECOND
  const match = / (\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([+-])(\d\d)(?::?(\d\d))?(?::?(\d\d))?)?/.exec(
    text,
  )
  const [, hour, minute, second, fraction = '', sign, ...offset] = match ?? []
  const local = seconds([hour, minute, second])
  const shift = seconds(offset)
  const inUtc = sign === '-' ? local + shift : local - shift
  return (
    (BigInt(toDays(text)) * DAY_SECONDS + BigInt(inUtc)) * 1_000_000n +
    BigInt(fraction.padEnd(6, '0'))
  )
}

function seconds([hours = '0', minutes = '0', rest = '0']: readonly (
  string | undefined
)[]): number {
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(rest)
}

/** In the Gregorian calendar, which PostgreSQL also extends before its beginning; year 0 is 1 BC. */
function daysFromCivil(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}
