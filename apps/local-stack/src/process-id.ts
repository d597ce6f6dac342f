import { errorCode } from './error-code.js'

/** Whether a process with this id runs, ours or another user's. `NaN` never does. */
export function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errorCode(error) === 'EPERM'
  }
}
