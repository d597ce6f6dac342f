import { Server, ServerCredentials } from '@grpc/grpc-js'
import { ReflectionService } from '@grpc/reflection'
import { ServerGrpc } from '@nestjs/microservices'
import { IDENTITY_PACKAGE, IDENTITY_PACKAGE_DEFINITION, readFileDescriptorSet } from '@olytix/proto'
import { loadFileDescriptorSetFromBuffer } from '@grpc/proto-loader'

interface GrpcServerOptions {
  readonly host: string
  /** 0 picks a free one; `address` says which. */
  readonly port: number
  readonly reflection: boolean
  /** Adds services that are not ours, such as health, before the port opens. */
  readonly onServices: (server: Server, names: readonly string[]) => void
  /** Called while calls are still taken, right before that ends. */
  readonly onClosing: () => void
}

const MAX_MESSAGE_BYTES = 1024 * 1024
const MAX_METADATA_BYTES = 16 * 1024
const MAX_STREAMS_PER_CONNECTION = 1_000
const DRAIN_MS = 5_000

/**
 * Nest's gRPC transport with three changes: the port opens only once all services are there, the port that the system
 * picked is known, and a shutdown waits for running calls, but not for ever.
 */
export class GrpcServer extends ServerGrpc {
  private server: Server | undefined
  private boundPort = 0

  constructor(private readonly settings: GrpcServerOptions) {
    super({
      package: IDENTITY_PACKAGE,
      packageDefinition: IDENTITY_PACKAGE_DEFINITION,
      onLoadPackageDefinition: (definition: object, server: Server) => {
        settings.onServices(server, Object.keys(definition))
        if (settings.reflection) addReflection(server)
      },
    })
  }

  /** `host:port`, once it listens. */
  get address(): string {
    return hostPort(this.settings.host, this.boundPort)
  }

  override createClient(): Promise<Server> {
    this.server = new Server({
      'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
      'grpc.max_metadata_size': MAX_METADATA_BYTES,
      'grpc.max_concurrent_streams': MAX_STREAMS_PER_CONNECTION,
    })
    return Promise.resolve(this.server)
  }

  override async start(callback?: () => void): Promise<void> {
    await this.bindEvents()
    this.boundPort = await this.bind()
    callback?.()
  }

  override async close(): Promise<void> {
    const { server } = this
    if (!server) return
    this.server = undefined
    this.settings.onClosing()
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        server.forceShutdown()
      }, DRAIN_MS)
      server.tryShutdown(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  private bind(): Promise<number> {
    const { server, settings } = this
    const address = hostPort(settings.host, settings.port)
    return new Promise((resolve, reject) => {
      server?.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
        if (error) reject(error)
        else resolve(port)
      })
    })
  }
}

function addReflection(server: Server): void {
  new ReflectionService(loadFileDescriptorSetFromBuffer(readFileDescriptorSet())).addToServer(
    server,
  )
}

function hostPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${String(port)}`
}
