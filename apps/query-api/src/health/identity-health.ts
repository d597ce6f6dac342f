import { type ChannelCredentials, makeGenericClientConstructor } from '@grpc/grpc-js'
import { service } from 'grpc-health-check'

const HealthClient = makeGenericClientConstructor(service, 'grpc.health.v1.Health')

/** Asks identity's `grpc.health.v1.Health/Check` (the standard protocol). */
export class IdentityHealth {
  private readonly client

  constructor(address: string, channel: ChannelCredentials) {
    this.client = new HealthClient(address, channel)
  }

  /** False for every answer but SERVING, and for none within `timeoutMs`. */
  isServing(timeoutMs = 1000): Promise<boolean> {
    return new Promise((resolve) => {
      const check = this.client['check']
      if (typeof check !== 'function') throw new Error('grpc-health-check has no Check')
      check.call(
        this.client,
        { service: '' },
        { deadline: Date.now() + timeoutMs },
        (error: Error | null, answer?: { status: string | number }) => {
          resolve(error === null && (answer?.status === 'SERVING' || answer?.status === 1))
        },
      )
    })
  }

  close(): void {
    this.client.close()
  }
}
