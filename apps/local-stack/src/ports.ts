import { createServer } from 'node:net'
import { StackError } from './stack-error.js'

export interface WantedPort {
  /** Who wants to listen there, for people. */
  readonly owner: string
  readonly variable: string
  readonly host: string
  /** 0 is always free. */
  readonly port: number
}

/**
 * Makes sure that ports are free before anything is started.
 * @param patienceMs how long to wait for a port to become free: what an earlier start left behind is still ending
 * @throws StackError that names the port and the variable that changes it
 */
export async function demandFreePorts(
  wanted: readonly WantedPort[],
  patienceMs: number,
): Promise<void> {
  const deadline = Date.now() + patienceMs
  for (const each of wanted) {
    for (;;) {
      const problem = await tryListening(each)
      if (problem === undefined) break
      if (problem !== 'EADDRINUSE' || Date.now() > deadline) throw portError(each, problem)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

/** The error code with which listening fails, if it does. */
function tryListening({ host, port }: WantedPort): Promise<string | undefined> {
  const probe = createServer()
  return new Promise((resolve) => {
    probe.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? error.message)
    })
    probe.listen({ host, port, exclusive: true }, () => {
      probe.close(() => {
        resolve(undefined)
      })
    })
  })
}

function portError({ owner, variable, host, port }: WantedPort, problem: string): StackError {
  const where = `${String(port)} of ${host}`
  const why =
    problem === 'EADDRINUSE'
      ? `Port ${where} is taken, and ${owner} wants to listen there`
      : `${owner} cannot listen on port ${where} (${problem})`
  return new StackError(
    `${why}. Set ${variable} to another port, or to 0 for any free one: ${variable}=0 npm start`,
  )
}
