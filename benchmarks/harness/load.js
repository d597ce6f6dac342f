import { performance } from 'node:perf_hooks'

/**
 * What a load has shown. Times in milliseconds.
 * @typedef {object} Figures
 * @property {number} perSecond calls that succeeded
 * @property {number} failures calls that threw
 * @property {number} p50
 * @property {number} p99
 */

/**
 * Calls again and again, `concurrency` calls at a time (each starts when one before it has ended), first for a while
 * that does not count, then for `seconds`.
 * @param {{ concurrency: number, seconds: number, call: (index: number) => Promise<unknown> }} options
 * @returns {Promise<Figures>}
 */
export async function load({ concurrency, seconds, call }) {
  const from = performance.now() + Math.min(1_000, seconds * 250)
  const until = from + seconds * 1_000
  /** @type {number[]} */
  const times = []
  let failures = 0
  let index = 0
  const worker = async () => {
    for (;;) {
      const startedAt = performance.now()
      if (startedAt >= until) return
      try {
        await call(index++)
        if (startedAt >= from) times.push(performance.now() - startedAt)
      } catch {
        if (startedAt >= from) failures += 1
      }
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  return {
    perSecond: times.length / seconds,
    failures,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
  }
}

/**
 * The value below which this share of all values lies; NaN of none.
 * @param {readonly number[]} values
 * @param {number} share
 */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
}
