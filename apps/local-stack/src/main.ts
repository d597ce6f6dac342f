import path from 'node:path'
import { ConfigError } from '@olytix/config'
import { Progress } from './progress.js'
import { runStack } from './run.js'
import { readSettings } from './settings.js'
import { StackError } from './stack-error.js'

const root = path.resolve(import.meta.dirname, '../../..')
const stop = new AbortController()
// One Ctrl-C may arrive twice: from the terminal and through npm. Stopping has its own deadlines.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stop.abort()
  })
}
try {
  const settings = readSettings(process.env, root)
  const progress = new Progress(process.stdout, stop.signal)
  progress.say('Starting Olytix Core')
  await runStack(settings, progress, stop.signal)
} catch (error) {
  const isExpected = error instanceof StackError || error instanceof ConfigError
  console.error(isExpected ? `\n${error.message}` : error)
  process.exitCode = 1
}
