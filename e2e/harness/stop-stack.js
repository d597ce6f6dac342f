import { rmSync } from 'node:fs'

/** Stops what `start-stack.js` has started, and only that. */
export default async function stopStack() {
  const stack = globalThis.olytixStack
  if (!stack) return
  const code = await stack.stop('SIGTERM')
  rmSync(stack.stateDir, { recursive: true, force: true })
  if (code !== 0)
    throw new Error(`the stack did not stop cleanly (${String(code)}):\n${stack.output}`)
}
