/** @typedef {import('./axis.js').Grain} Grain */

const LENGTHS = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 }
const DAY = LENGTHS.day

/**
 * The cases widen a range to whole periods of what is asked for, and mean both ends; ours is what is written.
 * @param {readonly [string, string]} range
 * @param {Grain} grain
 */
export function widened([from, to], grain) {
  const last = to.length > 10 ? instant(to) : new Date(instant(to).getTime() + DAY - 1000)
  const after = next(floor(last, grain), grain)
  return {
    start: written(floor(instant(from), grain)),
    end: `${written(new Date(after.getTime() - 1000))}.999999`,
  }
}

/** @param {string} text */
function instant(text) {
  return new Date(`${text.length > 10 ? text.replace(' ', 'T') : `${text}T00:00:00`}Z`)
}

/**
 * @param {Date} date
 * @param {Grain} grain
 */
function floor(date, grain) {
  if (grain in LENGTHS) {
    const length = LENGTHS[/** @type {keyof typeof LENGTHS} */ (grain)]
    return new Date(Math.floor(date.getTime() / length) * length)
  }
  const day = new Date(Math.floor(date.getTime() / DAY) * DAY)
  if (grain === 'week') day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7))
  else day.setUTCDate(1)
  if (grain === 'quarter') day.setUTCMonth(day.getUTCMonth() - (day.getUTCMonth() % 3))
  if (grain === 'year') day.setUTCMonth(0)
  return day
}

/**
 * @param {Date} date
 * @param {Grain} grain
 */
function next(date, grain) {
  if (grain === 'month' || grain === 'quarter' || grain === 'year') {
    const after = new Date(date)
    after.setUTCMonth(after.getUTCMonth() + { month: 1, quarter: 3, year: 12 }[grain])
    return after
  }
  return new Date(date.getTime() + (grain === 'week' ? 7 * DAY : LENGTHS[grain]))
}

/** @param {Date} date */
function written(date) {
  return date.toISOString().slice(0, 19)
}
