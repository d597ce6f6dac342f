const DAY_MS = 86_400_000

/** Days that a key lives when nobody says otherwise. */
export const DEFAULT_KEY_DAYS = 365
/** A hundred years: nobody's key, and far from the end of what a Date can hold. */
export const MAX_KEY_DAYS = 36_500

/** 00:00 UTC of the day of creation plus so many days: refused from that moment on. */
export function keyExpiry(createdAt: Date, days: number): Date {
  const midnight = Math.floor(createdAt.getTime() / DAY_MS) * DAY_MS
  return new Date(midnight + days * DAY_MS)
}

/** How many days a key was given when it was made. */
export function daysOfLife(createdAt: Date, expiresAt: Date): number {
  return Math.ceil((expiresAt.getTime() - createdAt.getTime()) / DAY_MS)
}
