import type { Server } from 'node:http'
import type { FactoryProvider } from '@nestjs/common'
import { type AbstractHttpAdapter, HttpAdapterHost } from '@nestjs/core'
import { z } from 'zod'

const listening = z.object({ port: z.number() })

/**
 * Where the world reaches this service: the setting, else localhost at the port that is listened on. What a request
 * says of its host counts for nothing, since whoever asks could write anything there.
 */
export class PublicUrl {
  constructor(
    private readonly configured: string | undefined,
    private readonly adapterHost: HttpAdapterHost<AbstractHttpAdapter<Server>>,
  ) {}

  /** The absolute address of a path below this service, as in `api/v1/query`. Only after `listen`. */
  of(path: string): URL {
    const base = this.configured ?? this.ownAddress()
    return new URL(path, base.endsWith('/') ? base : `${base}/`)
  }

  get isSecure(): boolean {
    return this.of('').protocol === 'https:'
  }

  private ownAddress(): string {
    const address = this.adapterHost.httpAdapter.getHttpServer().address()
    return `http://localhost:${String(listening.parse(address).port)}`
  }
}

/** @param configured OLYTIX_HTTP__PUBLIC_URL */
export function providePublicUrl(configured: string | undefined): FactoryProvider<PublicUrl> {
  return {
    provide: PublicUrl,
    inject: [HttpAdapterHost],
    useFactory: (host: HttpAdapterHost<AbstractHttpAdapter<Server>>) =>
      new PublicUrl(configured, host),
  }
}
