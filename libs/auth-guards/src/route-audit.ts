import { Injectable, type OnApplicationBootstrap, RequestMethod } from '@nestjs/common'
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js'
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core'
import { ACCESS, type Access } from './access.js'

/** One handler of a controller and what it demands. */
export interface DeclaredRoute {
  /** `QueryController.ask`. */
  readonly handler: string
  readonly method: string
  readonly access: Access | undefined
}

/** Walks every route of the app; the start fails if one declares no access. */
@Injectable()
export class RouteAudit implements OnApplicationBootstrap {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
  ) {}

  onApplicationBootstrap(): void {
    const open = this.routes().filter(({ access }) => !access)
    if (open.length === 0) return
    const names = open.map(({ handler }) => handler).join(', ')
    throw new Error(`These routes declare neither @RequireScope(…) nor @Public(): ${names}`)
  }

  /** All routes, in the order of their controllers. */
  routes(): DeclaredRoute[] {
    return this.discovery.getControllers().flatMap(({ metatype }) => {
      if (typeof metatype !== 'function') return []
      const prototype = metatype.prototype as Record<string, (...parts: never[]) => unknown>
      return this.scanner.getAllMethodNames(prototype).flatMap((name) => {
        const handler = prototype[name]
        if (!handler || !Reflect.hasMetadata(PATH_METADATA, handler)) return []
        return [
          {
            handler: `${metatype.name}.${name}`,
            method: RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod],
            access: this.reflector.getAllAndOverride<Access | undefined>(ACCESS, [
              handler,
              metatype,
            ]),
          },
        ]
      })
    })
  }
}
