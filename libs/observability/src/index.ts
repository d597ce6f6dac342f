export { JsonLogger, type LogLevel } from './json-logger.js'
export { announceReady, onShutdown, type ReadyMessage } from './lifecycle.js'
export { redact } from './redact.js'
export { REQUEST_ID_HEADER, requestId } from './request-id.js'
