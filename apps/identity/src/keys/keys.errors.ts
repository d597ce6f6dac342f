import { AppError } from '@olytix/errors'

/** Also for a key that the principal may not see. Never quotes what was asked for: it may be a secret. */
export function keyNotFound(): AppError {
  return new AppError('NOT_FOUND', 'There is no such key')
}
