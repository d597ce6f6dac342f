/** What a service tells the process that started it, over Node's IPC channel, once it answers. */
export interface ReadyMessage {
  readonly type: 'ready'
  /** Where it listens: `127.0.0.1:50051`. */
  readonly address: string
}

/** Tells the parent process, if there is one with an IPC channel, that this service answers at `address`. */
export function announceReady(address: string): void {
  const message: ReadyMessage = { type: 'ready', address }
  process.send?.(message)
}

/**
 * Runs `stop` once on SIGTERM, SIGINT or when the process that started this one is gone, then exits with 0.
 * A stop that fails or takes longer than `deadlineMs` exits with 1.
 */
export function onShutdown(stop: () => Promise<void>, deadlineMs = 10_000): void {
  let stopping = false
  const run = (): void => {
    if (stopping) return
    stopping = true
    setTimeout(() => process.exit(1), deadlineMs).unref()
    stop().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.once('SIGTERM', run)
  process.once('SIGINT', run)
  process.once('disconnect', run)
}
