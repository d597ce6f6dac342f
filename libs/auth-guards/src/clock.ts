/** Time, as whoever waits for something needs it. `FakeClock` of `testing/` moves only when it is told. */
export interface Clock {
  /** Time of day, for what others wrote down. */
  now(): Date
  /** Milliseconds since some moment. Never falls, unlike the time of day. */
  elapsedMs(): number
  /** Calls back once after so many milliseconds. @returns undoes it */
  after(ms: number, callback: () => void): () => void
}

/** The machine's own time. What waits on it does not keep a process alive. */
export const systemClock: Clock = {
  now: () => new Date(),
  elapsedMs: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms).unref()
    return () => {
      clearTimeout(timer)
    }
  },
}
