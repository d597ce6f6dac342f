import { type ChildProcess, spawn } from 'node:child_process'
import { open, readFile } from 'node:fs/promises'
import { z } from 'zod'
import { errorMessage } from './error-code.js'
import type { Running } from './running.js'
import { StackError } from './stack-error.js'

interface ServiceOptions {
  readonly name: string
  /** The service's built `main.js`. */
  readonly script: string
  readonly environment: NodeJS.ProcessEnv
  /** Overwritten. */
  readonly logFile: string
  /** Ends the wait for readiness. */
  readonly stopRequested: AbortSignal
}

/** A service that has been started, and then says where it listens. */
export interface ServiceProcess extends Running {
  /**
   * Waits until it answers.
   * @returns where: `127.0.0.1:50051`
   * @throws StackError with the end of its log when it ends instead, or takes longer than READY_WITHIN_MS
   */
  ready(): Promise<string>
}

const READY_WITHIN_MS = 60_000
const STOP_WITHIN_MS = 12_000

/** What a service sends over the IPC channel once it answers: `announceReady` of libs/observability. */
const ReadyMessage = z.object({ type: z.literal('ready'), address: z.string() })

export async function startService(options: ServiceOptions): Promise<ServiceProcess> {
  const log = await open(options.logFile, 'w', 0o600)
  const child = spawn(process.execPath, [options.script], {
    env: options.environment,
    stdio: ['ignore', log.fd, log.fd, 'ipc'],
    // A process group of its own: Ctrl-C in the terminal reaches the launcher only, which stops things in order.
    detached: true,
  })
  const ended = endOf(child)
  const address = addressOf(child, ended, options)
  // Whoever asks later still learns of a failure that came before.
  address.catch(() => undefined)
  await log.close()
  return {
    name: options.name,
    pid: child.pid ?? 0,
    logFile: options.logFile,
    ended,
    ready: () => address,
    stop: () => stop(child, ended),
  }
}

/** The last lines of a log, for a message. */
export async function tailOf(logFile: string): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch((error: unknown) => errorMessage(error))
  const lines = text.trimEnd().split('\n').slice(-20)
  return `The end of ${logFile}:\n${lines.map((line) => `  ${line}`).join('\n')}`
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      resolve(error.message)
    })
    child.once('exit', (code, signal) => {
      resolve(signal ? `ended by ${signal}` : `ended with exit code ${String(code)}`)
    })
  })
}

async function addressOf(
  child: ChildProcess,
  ended: Promise<string>,
  { name, logFile, stopRequested }: ServiceOptions,
): Promise<string> {
  const signal = AbortSignal.any([stopRequested, AbortSignal.timeout(READY_WITHIN_MS)])
  const outcome = await new Promise<{ address: string } | { problem: string }>((resolve) => {
    child.on('message', (message) => {
      const ready = ReadyMessage.safeParse(message)
      if (ready.success) resolve({ address: ready.data.address })
    })
    void ended.then((how) => {
      resolve({ problem: how })
    })
    signal.addEventListener('abort', () => {
      const seconds = String(READY_WITHIN_MS / 1000)
      resolve({ problem: stopRequested.aborted ? 'stopped' : `not ready after ${seconds} s` })
    })
  })
  if ('address' in outcome) return outcome.address
  throw new StackError(`${name} did not start: ${outcome.problem}.\n${await tailOf(logFile)}`)
}

async function stop(child: ChildProcess, ended: Promise<string>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS)
  await ended
  clearTimeout(timer)
}
