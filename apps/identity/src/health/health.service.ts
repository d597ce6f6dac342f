import type { Server, ServerWritableStream } from '@grpc/grpc-js'
import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common'
import { Database, sql } from '@olytix/postgres'
import { HealthImplementation } from 'grpc-health-check'

const CHECK_INTERVAL_MS = 500
const CHECK_TIMEOUT_MS = 2_000

/** `grpc.health.v1`: SERVING only while the database answers, and not once a shutdown has begun. */
@Injectable()
export class HealthService implements OnApplicationBootstrap {
  private readonly logger = new Logger('health')
  private readonly health = new HealthImplementation()
  private readonly watches = new Set<ServerWritableStream<unknown, unknown>>()
  private services: readonly string[] = ['']
  private isServing = false
  private isStopping = false
  private timer: NodeJS.Timeout | undefined

  constructor(private readonly database: Database) {}

  /**
   * Serves health for the whole server (the empty name) and for each of these services.
   * Watches are kept in mind, so that a shutdown can end them: they would never end by themselves.
   */
  addToServer(server: Server, services: readonly string[]): void {
    this.services = ['', ...services]
    this.setServing(this.isServing)
    this.health.addToServer({
      addService: (definition, { watch, ...calls }) => {
        server.addService(definition, {
          ...calls,
          watch: (call: ServerWritableStream<unknown, unknown>) => {
            this.watches.add(call)
            call.on('cancelled', () => this.watches.delete(call))
            Reflect.apply(watch as (...parts: unknown[]) => void, undefined, [call])
          },
        })
      },
    })
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.check()
    this.schedule()
  }

  /** To be called before the port closes, which is earlier than Nest's own hooks: from here on a caller goes elsewhere; calls that run are still answered. */
  beginShutdown(): void {
    this.isStopping = true
    clearTimeout(this.timer)
    this.setServing(false)
    for (const call of this.watches) call.end()
  }

  private schedule(): void {
    if (this.isStopping) return
    this.timer = setTimeout(() => {
      void this.check().then(() => {
        this.schedule()
      })
    }, CHECK_INTERVAL_MS).unref()
  }

  private async check(): Promise<void> {
    const answers = await within(CHECK_TIMEOUT_MS, this.database.execute(sql`select`))
    if (this.isStopping || answers === this.isServing) return
    this.logger.log({ event: answers ? 'serving' : 'not_serving' })
    this.setServing(answers)
  }

  private setServing(isServing: boolean): void {
    this.isServing = isServing
    for (const name of this.services) {
      this.health.setStatus(name, isServing ? 'SERVING' : 'NOT_SERVING')
    }
  }
}

/** Whether something succeeds within so many milliseconds. */
async function within(timeoutMs: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => {
      resolve(false)
    }, timeoutMs)
  })
  const done = work.then(
    () => true,
    () => false,
  )
  const answer = await Promise.race([done, late])
  clearTimeout(timer)
  return answer
}
