import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

const ROOT = path.resolve(import.meta.dirname, '../..')
const START = path.join(ROOT, 'apps/local-stack/bin/start.js')
/** The first start makes a database and loads the example; a small machine shared with other work is slow at that. */
const DEADLINE_MS = 180_000

/** A stack as `npm start` runs it, from what is built already. */
export class StackProcess {
  /**
   * @param {string} stateDir
   * @param {Readonly<Record<string, string>>} environment in addition to free ports for everything
   */
  constructor(stateDir, environment = {}) {
    this.stateDir = stateDir
    this.output = ''
    this.child = spawn(process.execPath, [START, '--no-build'], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...withoutOurs(process.env),
        OLYTIX_STATE_DIR: stateDir,
        OLYTIX_HTTP__PORT: '0',
        OLYTIX_IDENTITY__PORT: '0',
        ...environment,
      },
    })
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.on('data', (/** @type {Buffer} */ chunk) => (this.output += chunk.toString()))
    }
    /** @type {Promise<number | null>} the exit code; null when a signal ended it */
    this.ended = new Promise((resolve) => this.child.once('close', (code) => resolve(code)))
  }

  /** Where the running stack describes itself. */
  get stackFile() {
    return path.join(this.stateDir, 'stack.json')
  }

  /** Waits until the stack says where it is. */
  async ready() {
    const deadline = Date.now() + DEADLINE_MS
    while (!existsSync(this.stackFile)) {
      const running = this.child.exitCode === null && this.child.signalCode === null
      if (!running) throw new Error(`the stack ended while it started:\n${this.output}`)
      if (Date.now() > deadline) {
        await this.stop('SIGTERM')
        throw new Error(`no stack after ${String(DEADLINE_MS)} ms:\n${this.output}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    /** @type {unknown} */
    const description = JSON.parse(readFileSync(this.stackFile, 'utf8'))
    return description
  }

  /**
   * Ends the stack as Ctrl-C or a service manager would.
   * @param {'SIGINT' | 'SIGTERM'} signal
   */
  async stop(signal) {
    this.child.kill(signal)
    return this.ended
  }
}

/**
 * The environment without settings of somebody's own stack.
 * @param {NodeJS.ProcessEnv} environment
 */
export function withoutOurs(environment) {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !name.startsWith('OLYTIX_')),
  )
}
