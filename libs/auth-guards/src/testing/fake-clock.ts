import type { Clock } from '../clock.js'

interface Timer {
  readonly atMs: number
  readonly callback: () => void
}

/** A clock that stands still until it is told. */
export class FakeClock implements Clock {
  private ms = 0
  private readonly timers = new Set<Timer>()

  constructor(private readonly start = new Date('2026-11-24T10:00:00.000Z')) {}

  now(): Date {
    return new Date(this.start.getTime() + this.ms)
  }

  elapsedMs(): number {
    return this.ms
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { atMs: this.ms + ms, callback }
    this.timers.add(timer)
    return () => this.timers.delete(timer)
  }

  /** Lets time pass; what is due meanwhile happens at its own moment, in order. */
  advance(ms: number): void {
    const end = this.ms + ms
    for (let due = this.firstUntil(end); due; due = this.firstUntil(end)) {
      this.timers.delete(due)
      this.ms = due.atMs
      due.callback()
    }
    this.ms = end
  }

  private firstUntil(end: number): Timer | undefined {
    const due = [...this.timers].filter(({ atMs }) => atMs <= end)
    return due.reduce<Timer | undefined>(
      (first, timer) => (first && first.atMs <= timer.atMs ? first : timer),
      undefined,
    )
  }
}
