import { connect, createServer, type Socket } from 'node:net'
import { Transform } from 'node:stream'

/** Stands between a client and a service: can delay or keep back what the service says, and cut the line. */
export class TcpGate {
  /** How long each thing that the service says is on its way, in milliseconds. */
  replyDelayMs = 0
  /** How often a client spoke after the service had: round trips, when one client is there. */
  turns = 0
  private lastHeard: 'client' | 'service' = 'service'
  private readonly sockets = new Set<Socket>()
  private readonly servers = new Set<Socket>()
  private isShut = false

  private readonly server = createServer((socket) => {
    this.forward(socket)
  })

  /** @param target `host:port` */
  protected constructor(private readonly target: string) {}

  /** @param target `host:port` */
  static async before(target: string): Promise<TcpGate> {
    const gate = new TcpGate(target)
    await gate.open()
    return gate
  }

  get address(): string {
    const address = this.server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    return `127.0.0.1:${String(address.port)}`
  }

  /** From now on nothing that the service says gets through; it hears everything. */
  holdReplies(): void {
    for (const socket of this.servers) socket.unpipe().resume()
  }

  /** Ends all connections and lets no new one in. */
  cut(): void {
    this.isShut = true
    for (const socket of this.sockets) socket.destroy()
  }

  restore(): void {
    this.isShut = false
  }

  async stop(): Promise<void> {
    this.cut()
    await new Promise((resolve) => this.server.close(resolve))
  }

  protected open(): Promise<void> {
    return new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve))
  }

  /** Called with each client, before anything passes. */
  protected watch(_client: Socket): void {
    // A plain gate looks at nothing.
  }

  /** What passes in place of what a client said. */
  protected rewrite(said: Buffer): Buffer {
    return said
  }

  private forward(client: Socket): void {
    if (this.isShut) {
      client.destroy()
      return
    }
    const [host = '', port = ''] = this.target.split(':')
    const server = connect(Number(port), host)
    this.servers.add(server)
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        this.sockets.delete(socket)
        other.destroy()
      })
    }
    this.watch(client)
    client.pipe(this.requests()).pipe(server)
    server.pipe(this.replies()).pipe(client)
  }

  private requests(): Transform {
    return new Transform({
      transform: (said: Buffer, _encoding, done) => {
        if (this.lastHeard === 'service') this.turns++
        this.lastHeard = 'client'
        done(null, this.rewrite(said))
      },
    })
  }

  private replies(): Transform {
    return new Transform({
      transform: (said: Buffer, _encoding, done) => {
        const pass = (): void => {
          this.lastHeard = 'service'
          done(null, said)
        }
        if (this.replyDelayMs > 0) setTimeout(pass, this.replyDelayMs)
        else pass()
      },
    })
  }
}
