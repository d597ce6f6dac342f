import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { StackProcess } from './stack-process.js'

/**
 * Starts one stack for the whole run and says in OLYTIX_E2E__STACK_FILE where it describes itself. If that is set
 * already, the tests run against the stack it names: one that was started by hand, or in containers.
 */
export default async function startStack() {
  if (process.env['OLYTIX_E2E__STACK_FILE']) return
  // With everything that is ever logged: after the run no log may hold a secret.
  const stack = new StackProcess(mkdtempSync(path.join(tmpdir(), 'olytix-e2e-')), {
    OLYTIX_LOG__LEVEL: 'debug',
  })
  globalThis.olytixStack = stack
  process.env['OLYTIX_E2E__SECRETS_FILE'] = path.join(stack.stateDir, 'e2e-secrets')
  await stack.ready()
  process.env['OLYTIX_E2E__STACK_FILE'] = stack.stackFile
}
