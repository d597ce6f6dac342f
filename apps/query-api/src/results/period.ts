/** How a period is written: its length, and how many characters of `2016-01-31 13:00:00` say so. */
const LENGTHS: Readonly<Record<string, number>> = {
  second: 19,
  minute: 19,
  hour: 19,
  day: 10,
  week: 10,
  month: 7,
  quarter: 7,
  year: 4,
}

/**
 * The written form of a period from PostgreSQL's text for its beginning: `2016`, `2016-Q1`, `2016-01`, a week as its
 * Monday, `2016-01-31`, `2016-01-31T13:00:00`. `infinity` stays, and a year BC keeps its BC.
 */
export function writePeriod(beginning: string, granularity: string): string {
  const match = /^(\d{4,})(-(\d\d)-.*?)( BC)?$/.exec(beginning)
  if (!match) return beginning
  const [, year = '', rest = '', month = '', era = ''] = match
  if (granularity === 'quarter') return `${year}-Q${String(Math.ceil(Number(month) / 3))}${era}`
  const text = rest.replace(' ', 'T').slice(0, (LENGTHS[granularity] ?? 19) - 4)
  return `${year}${text}${era}`
}
