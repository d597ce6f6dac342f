import type { ClientReadableStream } from '@grpc/grpc-js'
import type {
  AuthorizationServiceClient,
  Invalidation,
  WatchInvalidationsResponse,
} from '@olytix/proto'
import { callMetadata, SERVICE_TOKEN } from './harness.js'

/** One watch of invalidations, and all it was told. */
export class Watch {
  readonly told: WatchInvalidationsResponse[] = []
  isEnded = false
  private readonly stream: ClientReadableStream<WatchInvalidationsResponse>
  private wake: () => void = () => undefined

  constructor(client: AuthorizationServiceClient, fromRevision: number) {
    const metadata = callMetadata({ 'service-token': SERVICE_TOKEN })
    this.stream = client.watchInvalidations({ fromRevision }, metadata)
    this.stream.on('data', (message: WatchInvalidationsResponse) => {
      this.told.push(message)
      this.wake()
    })
    for (const end of ['end', 'error']) {
      this.stream.on(end, () => {
        this.isEnded = true
        this.wake()
      })
    }
  }

  get invalidations(): Invalidation[] {
    return this.told.flatMap((message) => message.invalidations)
  }

  /** The last revision it was told. */
  get revision(): number {
    return this.told.at(-1)?.revision ?? 0
  }

  /** Waits until something holds, which is looked at after each word. @returns how long it took, in milliseconds */
  async until(holds: () => boolean, withinMs = 5_000): Promise<number> {
    const startedAt = performance.now()
    while (!holds()) {
      const leftMs = startedAt + withinMs - performance.now()
      if (leftMs <= 0) throw new Error(`not within ${String(withinMs)} ms`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs)
        this.wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    return performance.now() - startedAt
  }

  hears(id: string | undefined, withinMs?: number): Promise<number> {
    return this.until(() => this.invalidations.some((each) => each.id === id), withinMs)
  }

  end(): void {
    this.stream.cancel()
  }
}
