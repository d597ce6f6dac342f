import { connect, createServer, type Server, type Socket } from 'node:net'

/** Stands between a service and PostgreSQL: writes down each statement, and can cut the line. */
export class PostgresProxy {
  private readonly sockets = new Set<Socket>()
  private isCut = false
  /** Text of every statement that passed, but for the health check's. */
  statements: string[] = []

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
  ) {}

  static async start(databaseUrl: string): Promise<PostgresProxy> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const proxy = new PostgresProxy(server, new URL(databaseUrl))
    server.on('connection', (socket) => {
      proxy.forward(socket)
    })
    return proxy
  }

  get url(): string {
    const address = this.server.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    const url = new URL(this.target)
    url.host = `127.0.0.1:${String(address.port)}`
    return url.href
  }

  cut(): void {
    this.isCut = true
    for (const socket of this.sockets) socket.destroy()
  }

  restore(): void {
    this.isCut = false
  }

  async stop(): Promise<void> {
    this.cut()
    await new Promise((resolve) => this.server.close(resolve))
  }

  private forward(client: Socket): void {
    if (this.isCut) {
      client.destroy()
      return
    }
    const server = connect(Number(this.target.port), this.target.hostname)
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
    const read = statementReader((text) => {
      if (text !== 'select') this.statements.push(text)
    })
    client.on('data', read)
    client.pipe(server)
    server.pipe(client)
  }
}

/** Reads the client's side of the wire protocol: a start-up message, then messages with a type byte and a length. */
function statementReader(onStatement: (text: string) => void): (data: Buffer) => void {
  let rest = Buffer.alloc(0)
  let header = 0
  const onMessage = messageReader(onStatement)
  return (data) => {
    rest = Buffer.concat([rest, data])
    while (rest.length >= header + 4 && rest.length >= header + rest.readUInt32BE(header)) {
      const end = header + rest.readUInt32BE(header)
      if (header === 1) {
        onMessage(rest.toString('latin1', 0, 1), rest.toString('utf8', 5, end).split('\0'))
      }
      rest = rest.subarray(end)
      header = 1
    }
  }
}

/** Query, Parse and Bind: a statement that is known by name is only bound again. */
function messageReader(onStatement: (text: string) => void) {
  const prepared = new Map<string, string>()
  return (type: string, [first = '', second = '']: readonly string[]): void => {
    if (type === 'Q') onStatement(first)
    if (type === 'P') prepared.set(first, second)
    if (type === 'B') onStatement(prepared.get(second) ?? '')
  }
}
