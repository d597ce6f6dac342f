import { open } from 'node:fs/promises'
import { freePort, startLocalServer } from '@olytix/postgres'
import { errorMessage } from './error-code.js'
import type { Running } from './running.js'

export interface RunningPostgres extends Running {
  /** Of the superuser. */
  readonly url: string
}

const TRIES = 3

/** Starts the embedded PostgreSQL on a free port. */
export async function startPostgres(
  dataDir: string,
  password: string,
  logFile: string,
): Promise<RunningPostgres> {
  const log = await open(logFile, 'w', 0o600)
  for (let attempt = 1; ; attempt++) {
    try {
      const server = await startLocalServer({
        dataDir,
        password,
        port: await freePort(),
        onLog: (line) => void log.appendFile(`${line}\n`),
      })
      const ended = server.ended.then(async () => {
        await log.close()
        return 'ended'
      })
      const { url, pid } = server
      return { name: 'PostgreSQL', url, pid, logFile, ended, stop: () => server.stop() }
    } catch (error) {
      // Between finding a free port and listening there, somebody else may have taken it.
      if (attempt < TRIES && /could not bind|already in use/i.test(errorMessage(error))) continue
      await log.close()
      throw error
    }
  }
}
