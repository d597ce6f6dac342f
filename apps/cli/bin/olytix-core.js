#!/usr/bin/env node
// Committed as JavaScript so that npm links it right after `npm ci`, before anything is built.
import { fileURLToPath } from 'node:url'

try {
  await import('../dist/main.js')
} catch (error) {
  if (error?.code !== 'ERR_MODULE_NOT_FOUND') throw error
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  process.stderr.write(`olytix-core is not built yet: run \`npm run build\` in ${root}\n`)
  process.exitCode = 2
}
