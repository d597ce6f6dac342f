import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { Controller, Get, Module, StreamableFile } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { createFastifyAdapter } from '../src/http/fastify-server.js'

/** A long answer: its beginning at once, its end when it is let go. */
let letGo: () => void
let whole: Promise<void>

@Controller()
class AnswersController {
  @Get('short')
  short(): string {
    return 'short'
  }

  @Get('long')
  long(): StreamableFile {
    async function* pieces(): AsyncGenerator<Buffer, void, undefined> {
      yield Buffer.from('beginning')
      await whole
      yield Buffer.from('end')
    }
    return new StreamableFile(Readable.from(pieces(), { objectMode: false }))
  }
}

let app: NestFastifyApplication
let port: number
const sockets: Socket[] = []

beforeEach(async () => {
  whole = new Promise((resolve) => {
    letGo = resolve
  })
  @Module({ controllers: [AnswersController] })
  class App {}
  const adapter = createFastifyAdapter({
    trustedProxies: [],
    onResponse: () => undefined,
    graceMs: 300,
  })
  app = await NestFactory.create<NestFastifyApplication>(App, adapter, { logger: false })
  await app.listen(0, '127.0.0.1')
  port = Number(new URL(await app.getUrl()).port)
})

afterEach(async () => {
  letGo()
  for (const socket of sockets.splice(0)) socket.destroy()
  await app.close()
})

/** A connection that is kept open, on which a path was asked, and what has come so far. */
async function connected(path?: string): Promise<{ closed: Promise<unknown>; text: () => string }> {
  const socket = connect(port, '127.0.0.1')
  sockets.push(socket)
  let received = ''
  socket.on('data', (piece) => {
    received += piece.toString()
  })
  const closed = once(socket, 'close')
  await once(socket, 'connect')
  if (path !== undefined) {
    socket.write(`GET /${path} HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n`)
    while (!/short|beginning/.test(received)) await once(socket, 'data')
  }
  return { closed, text: () => received }
}

async function millisecondsOf(work: Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work
  return performance.now() - startedAt
}

test.each([
  ['on which nothing was asked yet', undefined],
  ['that was answered and is kept open', 'short'],
])('a connection %s does not hold up the end', async (_, path) => {
  const { closed } = await connected(path)
  expect(await millisecondsOf(app.close())).toBeLessThan(250)
  await closed
})

test('an answer that is on its way is finished, and its connection closed', async () => {
  const { closed, text } = await connected('long')
  const ended = app.close()
  letGo()
  await Promise.all([ended, closed])
  expect(text()).toMatch(/beginning[\s\S]*end\r\n0\r\n\r\n$/)
})

test('an answer without end breaks off when its grace is over', async () => {
  const { closed, text } = await connected('long')
  const [took] = await Promise.all([millisecondsOf(app.close()), closed])
  expect(took).toBeGreaterThanOrEqual(295)
  expect(took).toBeLessThan(3000)
  expect(text()).not.toMatch(/0\r\n\r\n$/)
})
