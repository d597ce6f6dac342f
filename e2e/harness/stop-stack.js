import { existsSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { leakedSecrets } from './leaked-secrets.js'

/**
 * Stops what `start-stack.js` has started, and only that; then looks for each secret of the run in everything that the
 * stack has logged.
 */
export default async function stopStack() {
  const stack = globalThis.olytixStack
  if (!stack) return
  const code = await stack.stop('SIGTERM')
  const leaked = leakedSecrets(secretsOf(stack.stateDir), path.join(stack.stateDir, 'logs'))
  // The logs stay for whoever has to find the line.
  if (leaked.length > 0) throw new Error(`secrets in the logs:\n${leaked.join('\n')}`)
  rmSync(stack.stateDir, { recursive: true, force: true })
  if (code !== 0)
    throw new Error(`the stack did not stop cleanly (${String(code)}):\n${stack.output}`)
}

/**
 * What the tests have sent and received, and what the stack has made for itself.
 * @param {string} stateDir
 */
function secretsOf(stateDir) {
  const seen = path.join(stateDir, 'e2e-secrets')
  const own = Object.values(JSON.parse(readFileSync(path.join(stateDir, 'secrets.json'), 'utf8')))
  return [
    ...(existsSync(seen) ? readFileSync(seen, 'utf8').trim().split('\n') : []),
    ...own.filter((value) => typeof value === 'string' && !value.includes('@')),
  ]
}
