/** A part of the stack that has been started and must be stopped. */
export interface Running {
  /** For people: `PostgreSQL`, `identity`. */
  readonly name: string
  readonly pid: number
  readonly logFile: string
  /** Settles when it ends, asked to or not; says how. */
  readonly ended: Promise<string>
  /** Asks it to end and waits until it is gone. */
  stop(): Promise<void>
}
