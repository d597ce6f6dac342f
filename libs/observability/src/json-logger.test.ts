import { PassThrough } from 'node:stream'
import { expect, test } from '@jest/globals'
import { JsonLogger } from './json-logger.js'

test('credentials never reach the log, wherever they stand', () => {
  const out = new PassThrough()
  const logger = new JsonLogger('test', 'debug', out)
  logger.log('used olytix-core_key_abc123')
  logger.error({ err: new Error('eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln') })
  logger.warn({ url: 'postgres://owner:hunter2@127.0.0.1/db', token: 'refresh_abc-DEF' })
  const text = String(out.read())
  expect(text).toContain('[redacted]')
  for (const secret of ['abc123', 'eyJ', 'hunter2', 'abc-DEF']) expect(text).not.toContain(secret)
})

test('an entry is one line of JSON with service, level and context', () => {
  const out = new PassThrough()
  new JsonLogger('identity', 'info', out).log('ready', 'main')
  expect(JSON.parse(String(out.read()))).toMatchObject({
    service: 'identity',
    msg: 'ready',
    context: 'main',
  })
})
