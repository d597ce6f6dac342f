/**
 * Runs a piece of work again and again, never twice at once: a tick that finds it still running is passed over. What
 * fails is told and tried again at the next tick. Keeps no process alive.
 */
export class Repeated {
  private timer: NodeJS.Timeout | undefined
  private running: Promise<void> | undefined

  constructor(
    private readonly work: () => Promise<unknown>,
    private readonly onError: (error: unknown) => void,
  ) {}

  start(intervalMs: number): void {
    this.timer = setInterval(() => {
      this.running ??= this.run()
    }, intervalMs).unref()
  }

  /** Waits for the run that is under way. */
  async stop(): Promise<void> {
    clearInterval(this.timer)
    await this.running
  }

  private async run(): Promise<void> {
    try {
      await this.work()
    } catch (error) {
      this.onError(error)
    } finally {
      this.running = undefined
    }
  }
}
