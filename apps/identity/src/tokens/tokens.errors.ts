import { AppError } from '@olytix/errors'

export function signingKeyNotFound(): AppError {
  return new AppError('NOT_FOUND', 'There is no such signing key')
}

/** Also for somebody else's. */
export function sessionNotFound(): AppError {
  return new AppError('NOT_FOUND', 'There is no such session')
}

/** @param afterSeconds when it is worth trying again */
export function tooManyFailures(afterSeconds: number): AppError {
  const seconds = String(afterSeconds)
  return new AppError('RATE_LIMITED', `Too many failed attempts; try again in ${seconds} s`, {
    headers: { 'retry-after': seconds },
  })
}
