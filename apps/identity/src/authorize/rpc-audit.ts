import { Injectable, type OnApplicationBootstrap } from '@nestjs/common'
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core'
import { PATTERN_METADATA } from '@nestjs/microservices/constants.js'
import { ACCESS, type Access } from '@olytix/auth-guards'
import { z } from 'zod'
import { SERVICE_CALL } from './service-call.decorator.js'

/** An RPC and what it demands of whoever calls it. */
export interface DeclaredRpc {
  /** `KeyService.CreateKey`. */
  readonly rpc: string
  readonly access: Access | { readonly kind: 'service' } | undefined
}

const patterns = z.array(z.object({ service: z.string(), rpc: z.string() }))

/** Walks every RPC that is served; the start fails if one declares no access. */
@Injectable()
export class RpcAudit implements OnApplicationBootstrap {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
  ) {}

  onApplicationBootstrap(): void {
    const open = this.rpcs().filter(({ access }) => !access)
    if (open.length === 0) return
    const names = open.map(({ rpc }) => rpc).join(', ')
    throw new Error(`These RPCs declare neither a scope nor that they are open: ${names}`)
  }

  /** All RPCs, in the order of their controllers. */
  rpcs(): DeclaredRpc[] {
    return this.discovery.getControllers().flatMap(({ metatype, instance }) => {
      const methods: object = Object.getPrototypeOf(instance) as object
      return this.scanner.getAllMethodNames(methods).flatMap((name) => {
        const handler: unknown = Reflect.get(methods, name)
        if (typeof handler !== 'function' || !metatype) return []
        return patterns
          .parse(Reflect.getMetadata(PATTERN_METADATA, handler) ?? [])
          .map(({ service, rpc }) => ({
            rpc: `${service}.${rpc}`,
            access: this.accessOf([handler, metatype]),
          }))
      })
    })
  }

  private accessOf(targets: Parameters<Reflector['getAllAndOverride']>[1]): DeclaredRpc['access'] {
    const isService = this.reflector.getAllAndOverride<true | undefined>(SERVICE_CALL, targets)
    return isService
      ? { kind: 'service' }
      : this.reflector.getAllAndOverride<Access | undefined>(ACCESS, targets)
  }
}
