import type { Terminal } from './terminal.js'
import { printable } from './printable.js'

const BAR_WIDTH = 24
const CLEAR_LINE = '\r\u001b[K'

/** What there is to be done, and what of it. */
export interface ProgressState {
  readonly done: number
  readonly total: number
  /** What is under way. */
  readonly label: string
}

/** A bar that is drawn anew in place, on standard error; nothing at all where no person looks at it. */
export class ProgressBar {
  private readonly isShown: boolean

  constructor(private readonly stderr: Terminal['stderr']) {
    this.isShown = stderr.isTTY ?? false
  }

  show(state: ProgressState): void {
    if (this.isShown) this.stderr.write(CLEAR_LINE + barOf(state, this.stderr.columns ?? 80))
  }

  /** Before anything else is written. */
  clear(): void {
    if (this.isShown) this.stderr.write(CLEAR_LINE)
  }
}

function barOf({ done, total, label }: ProgressState, columns: number): string {
  const filled = total === 0 ? 0 : Math.floor((done / total) * BAR_WIDTH)
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled)
  // A line that is broken could not be cleared.
  return printable(`${bar} ${String(done)}/${String(total)}  ${label}`).slice(0, columns - 1)
}
