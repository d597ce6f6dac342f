import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * The connections of a server, so that it ends soon when it is told to: those without a request in progress at once (one
 * on which nothing was asked yet, too: for Node it is not idle), the others when their answer is sent.
 */
export class OpenConnections {
  /** Requests in progress. */
  private readonly busy = new Map<Socket, number>()
  private isEnding = false

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.busy.set(socket, 0)
      socket.once('close', () => this.busy.delete(socket))
    })
    server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      this.count(socket, 1)
      response.once('close', () => {
        this.count(socket, -1)
      })
    })
  }

  /** @param graceMs how long answers may go on; after that they break off */
  end(graceMs: number): void {
    this.isEnding = true
    for (const socket of this.busy.keys()) this.endIfIdle(socket)
    const timer = setTimeout(() => {
      for (const socket of this.busy.keys()) socket.destroy()
    }, graceMs)
    timer.unref()
  }

  private count(socket: Socket, change: 1 | -1): void {
    const before = this.busy.get(socket)
    if (before === undefined) return
    this.busy.set(socket, before + change)
    this.endIfIdle(socket)
  }

  private endIfIdle(socket: Socket): void {
    if (this.isEnding && this.busy.get(socket) === 0) socket.destroySoon()
  }
}
