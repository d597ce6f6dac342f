import { Logger } from '@nestjs/common'
import type { ReadinessCheck } from './health.http.js'

const log = new Logger('health')

/** Ready while the check succeeds; why it does not is logged, and told to nobody. */
export function readyIf(name: string, check: () => Promise<unknown>): ReadinessCheck {
  const isReady = async (): Promise<boolean> => {
    try {
      await check()
      return true
    } catch (error) {
      log.warn(error)
      return false
    }
  }
  return { name, isReady }
}
