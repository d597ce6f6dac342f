/** What time it is, and how much of it has gone by. */
export interface Clock {
  now(): Date
  /** Milliseconds from any moment on; never goes back. */
  elapsedMs(): number
}

export const systemClock: Clock = {
  now: () => new Date(),
  elapsedMs: () => performance.now(),
}
