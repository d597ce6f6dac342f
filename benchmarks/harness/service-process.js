import { fork } from 'node:child_process'

/**
 * A service in a process of its own, as in production.
 * @typedef {object} Service
 * @property {string} address `host:port`
 * @property {number} pid
 * @property {() => Promise<void>} stop
 */

/**
 * Starts a Node script that tells over IPC where it listens, as our services do once they answer.
 * @param {string} script
 * @param {Readonly<Record<string, string>>} environment all that it gets of ours
 * @returns {Promise<Service>}
 */
export async function startService(script, environment) {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('OLYTIX_'))
  const child = fork(script, {
    env: { ...Object.fromEntries(inherited), ...environment },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const ended = new Promise((resolve) => child.once('close', resolve))
  const address = await new Promise((resolve, reject) => {
    child.once('message', (/** @type {{ address: string }} */ ready) => {
      resolve(ready.address)
    })
    child.once('close', (code) => {
      reject(new Error(`${script} ended while it started (${String(code)})`))
    })
  })
  return {
    address,
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
}
