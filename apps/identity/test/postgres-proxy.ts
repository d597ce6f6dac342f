import type { Socket } from 'node:net'
import { TcpGate } from '@olytix/postgres/testing'

/** Stands between a service and PostgreSQL: writes down each statement, and can cut the line. */
export class PostgresProxy extends TcpGate {
  /** Text of every statement that passed, but for the health check's. */
  statements: string[] = []

  private constructor(private readonly database: URL) {
    super(`${database.hostname}:${database.port}`)
  }

  static async start(databaseUrl: string): Promise<PostgresProxy> {
    const proxy = new PostgresProxy(new URL(databaseUrl))
    await proxy.open()
    return proxy
  }

  get url(): string {
    const url = new URL(this.database)
    url.host = this.address
    return url.href
  }

  protected override watch(client: Socket): void {
    const read = statementReader((text) => {
      if (text !== 'select') this.statements.push(text)
    })
    client.on('data', read)
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
