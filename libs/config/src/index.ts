export { interpolate, type MissingVariable } from './interpolate.js'
export {
  ConfigError,
  deepFreeze,
  flag,
  isLoopback,
  list,
  loadConfig,
  port,
  secret,
  strongSecret,
} from './load-config.js'
export { Secret } from './secret.js'
