import 'reflect-metadata'
import { setFlagsFromString } from 'node:v8'
import { ConfigError } from '@olytix/config'
import { AppError } from '@olytix/errors'
import { announceReady, JsonLogger, onShutdown } from '@olytix/observability'
import { readConfig } from './config.js'
import { startQueryApi } from './start-query-api.js'

// By itself the heap nearly triples before it is cleared, while a long answer streams. Measured in benchmarks/README.md.
setFlagsFromString('--heap-growing-percent=30')

try {
  const config = readConfig(process.env)
  const logger = new JsonLogger('query-api', config.OLYTIX_LOG__LEVEL)
  const queryApi = await startQueryApi(config, { logger, environment: process.env })
  onShutdown(() => queryApi.stop())
  logger.log({ event: 'listening', address: queryApi.address })
  announceReady(queryApi.address)
} catch (error) {
  console.error(explain(error))
  process.exitCode = 1
}

/** Mistakes in settings or project files are the operator's to mend: each with its place. Others get a stack. */
function explain(error: unknown): unknown {
  if (error instanceof ConfigError) return error.message
  if (!(error instanceof AppError)) return error
  const places = (error.details ?? []).map(
    ({ path, line, column, message, suggestion }) =>
      `  ${[path, line, column].filter((part) => part !== undefined).join(':')}  ${message}` +
      (suggestion === undefined ? '' : `; did you mean ${suggestion}?`),
  )
  return [error.message, ...places].join('\n')
}
