import { PassThrough } from 'node:stream'
import { expect, test } from '@jest/globals'
import { readSecret } from './terminal.js'

test('a secret that is typed at a terminal is never shown there', async () => {
  const stdin = Object.assign(new PassThrough(), { isTTY: true })
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const asked = readSecret({ stdin, stdout, stderr }, 'Key: ')
  stdin.write('olytix-core_key_hidden\n')
  expect(await asked).toBe('olytix-core_key_hidden')
  expect(String(stderr.read())).toBe('Key: \n')
  expect(stdout.read()).toBeNull()
})

test('a secret from a pipe loses its line end', async () => {
  const stdin = new PassThrough()
  stdin.end('olytix-core_key_piped\r\n')
  const out = new PassThrough()
  expect(await readSecret({ stdin, stdout: out, stderr: out }, 'Key: ')).toBe(
    'olytix-core_key_piped',
  )
  expect(out.read()).toBeNull()
})
