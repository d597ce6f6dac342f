import { Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common'
import { Repeated } from '@olytix/observability'

/** Rows that one statement deletes at most: nobody waits long for it. */
export const REAPED_AT_ONCE = 500

/**
 * What time demands of a part of the service, again and again. Any number of processes may do so at once. A step that
 * fails is logged and tried again the next time; the others are done all the same.
 */
export abstract class Upkeep implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('upkeep')
  private readonly repeated = new Repeated(
    () => this.run(),
    (error) => {
      this.logger.warn({ event: 'upkeep_failed', what: 'all', err: error })
    },
  )

  constructor(
    private readonly intervalMs: number,
    /** By what they look after. */
    private readonly steps: Readonly<Record<string, () => Promise<void>>>,
  ) {}

  onApplicationBootstrap(): void {
    this.repeated.start(this.intervalMs)
  }

  onApplicationShutdown(): Promise<void> {
    return this.repeated.stop()
  }

  /** Does all of it once, in the order of the steps. */
  async run(): Promise<void> {
    for (const [what, step] of Object.entries(this.steps)) {
      try {
        await step()
      } catch (error) {
        this.logger.warn({ event: 'upkeep_failed', what, err: error })
      }
    }
  }
}

/** Repeats a deletion of at most `REAPED_AT_ONCE` rows until less than that is left. */
export async function untilFew(reap: (limit: number) => Promise<number>): Promise<void> {
  while ((await reap(REAPED_AT_ONCE)) >= REAPED_AT_ONCE);
}
