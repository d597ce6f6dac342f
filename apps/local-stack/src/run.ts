import { demandFreePorts } from './ports.js'
import type { Progress } from './progress.js'
import type { Running } from './running.js'
import { tailOf } from './service-process.js'
import type { Settings } from './settings.js'
import { startStack } from './stack.js'
import { StackError } from './stack-error.js'
import { removeStackFile } from './stack-files.js'
import { openStateDir } from './state-dir.js'
import { lockStateDir } from './state-lock.js'
import { welcome } from './welcome.js'

/** How long what a killed start left behind may take to end by itself. */
const LEFT_BEHIND_MS = 15_000

/**
 * Runs a stack until a stop is requested. Whatever happens, nothing is left running afterwards.
 * @throws StackError when it cannot start, or when one of its processes ends unasked
 */
export async function runStack(
  settings: Settings,
  progress: Progress,
  stopRequested: AbortSignal,
): Promise<void> {
  await openStateDir(settings.stateDir)
  const lock = await lockStateDir(settings.stateDir)
  const parts: Running[] = []
  try {
    await demandFreePorts(wantedPorts(settings), lock.wasLeftBehind ? LEFT_BEHIND_MS : 0)
    await removeStackFile(settings.stateDir)
    const stack = await startStack({ settings, progress, parts, stopRequested })
    progress.say(welcome(settings, stack))
    await untilEnd(parts, stopRequested)
  } catch (error) {
    if (!stopRequested.aborted) throw error
  } finally {
    await removeStackFile(settings.stateDir)
    await stopAll(parts, progress)
    await lock.release()
  }
}

function wantedPorts({ http, identity }: Settings) {
  return [
    { owner: 'query-api', variable: 'OLYTIX_HTTP__PORT', ...http },
    { owner: 'identity', variable: 'OLYTIX_IDENTITY__PORT', ...identity },
  ]
}

/** Settles when a stop is requested; throws when a part ends before. */
async function untilEnd(parts: readonly Running[], stopRequested: AbortSignal): Promise<void> {
  if (stopRequested.aborted) return
  const requested = new Promise<undefined>((resolve) => {
    stopRequested.addEventListener('abort', () => {
      resolve(undefined)
    })
  })
  const ended = parts.map((part) => part.ended.then((how) => ({ part, how })))
  const first = await Promise.race([requested, ...ended])
  if (first === undefined) return
  const { name, logFile } = first.part
  throw new StackError(`${name} ${first.how} unexpectedly.\n${await tailOf(logFile)}`)
}

/** Last started, first stopped: nobody loses what it needs while it works. */
async function stopAll(parts: readonly Running[], progress: Progress): Promise<void> {
  if (parts.length === 0) return
  progress.say('\nStopping')
  for (const part of parts.toReversed()) await progress.step(part.name, () => part.stop())
}
