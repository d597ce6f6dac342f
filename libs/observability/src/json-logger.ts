import { Writable } from 'node:stream'
import type { LoggerService } from '@nestjs/common'
import pino from 'pino'
import { redact } from './redact.js'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Nest's logger as one line of JSON per entry on standard output, credentials blotted out. */
export class JsonLogger implements LoggerService {
  private readonly pino: pino.Logger

  constructor(
    service: string,
    level: LogLevel = 'info',
    out: NodeJS.WritableStream = process.stdout,
  ) {
    const redacting = new Writable({
      decodeStrings: false,
      write(line: string, _encoding, done) {
        out.write(redact(line))
        done()
      },
    })
    this.pino = pino(
      { level, base: { service }, timestamp: pino.stdTimeFunctions.isoTime },
      redacting,
    )
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.write('info', message, rest)
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest)
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest)
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest)
  }

  /** Nest passes the context (a class name) last; an Error anywhere is logged with its causes. */
  private write(level: LogLevel, message: unknown, rest: unknown[]): void {
    const context = rest.findLast((part) => typeof part === 'string')
    if (typeof message === 'string') this.pino[level]({ context }, message)
    else if (message instanceof Error) this.pino[level]({ context, err: message })
    else this.pino[level]({ context, ...toFields(message) })
  }
}

function toFields(message: unknown): object {
  return typeof message === 'object' && message !== null ? message : { message: String(message) }
}
