import { AppError } from '@olytix/errors'

interface HashQueueOptions {
  /** How many hashes run at once. */
  readonly concurrency: number
  /** How many may wait. */
  readonly maxWaiting: number
}

/**
 * Bounds the hashing of passwords, each of which takes tens of milliseconds of a core and 19 MiB: a few run, some
 * wait, the rest is refused. A permit ends with its hash, not with the client that asked for it.
 */
export class HashQueue {
  private running = 0
  private readonly waiting: (() => void)[] = []

  constructor(private readonly options: HashQueueOptions) {}

  /** @throws AppError RATE_LIMITED when too many wait */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.permit()
    try {
      return await work()
    } finally {
      this.pass()
    }
  }

  private async permit(): Promise<void> {
    if (this.running < this.options.concurrency) {
      this.running += 1
      return
    }
    if (this.waiting.length >= this.options.maxWaiting) {
      throw new AppError('RATE_LIMITED', 'Too many people sign in at this moment; try again', {
        headers: { 'retry-after': '1' },
      })
    }
    await new Promise<void>((resolve) => this.waiting.push(resolve))
  }

  /** Hands the permit to whoever waits longest, or returns it. */
  private pass(): void {
    const next = this.waiting.shift()
    if (next) next()
    else this.running -= 1
  }
}
