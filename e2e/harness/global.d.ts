import type { StackProcess } from './stack-process.js'

declare global {
  /** Handed from Jest's global set-up to its tear-down; absent when the run uses a stack that was there. */
  var olytixStack: StackProcess | undefined
}
