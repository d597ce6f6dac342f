import 'reflect-metadata'
import { ConfigError, loadConfig } from '@olytix/config'
import { announceReady, JsonLogger, onShutdown } from '@olytix/observability'
import { identitySettings } from './config.js'
import { startIdentity } from './start-identity.js'

try {
  const settings = loadConfig(identitySettings, process.env)
  const logger = new JsonLogger('identity', settings.OLYTIX_LOG__LEVEL)
  const identity = await startIdentity(settings, { logger, environment: process.env })
  onShutdown(() => identity.stop())
  logger.log({ event: 'listening', address: identity.address })
  announceReady(identity.address)
} catch (error) {
  if (error instanceof ConfigError) console.error(error.message)
  else new JsonLogger('identity').error(error)
  process.exitCode = 1
}
