/** Parts of a date, as PostgreSQL's `extract` calls them. Days of the week are ISO's: Monday is 1. */
export const DATE_PARTS = {
  year: 'year',
  quarter: 'quarter',
  month: 'month',
  week: 'week',
  day: 'day',
  dow: 'isodow',
  doy: 'doy',
  hour: 'hour',
  minute: 'minute',
  second: 'second',
} as const

export type DatePart = keyof typeof DATE_PARTS
