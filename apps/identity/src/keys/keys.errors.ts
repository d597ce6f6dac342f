import { AppError } from '@olytix/errors'
import { KeyStatus } from '@olytix/proto'

/** Also for a key that the principal may not see. Never quotes what was asked for: it may be a secret. */
export function keyNotFound(): AppError {
  return new AppError('NOT_FOUND', 'There is no such key')
}

export function keyRevoked(): AppError {
  return new AppError('CONFLICT', 'The key is revoked, which is for good')
}

export function roleGone(): AppError {
  return new AppError('CONFLICT', 'A role was deleted at the same moment; try again')
}

const REASONS: Readonly<Partial<Record<KeyStatus, string>>> = {
  [KeyStatus.KEY_STATUS_DISABLED]: 'The key is disabled: enable it first, or make a new one',
  [KeyStatus.KEY_STATUS_EXPIRED]: 'The key has expired: make a new one',
  [KeyStatus.KEY_STATUS_REVOKED]: 'The key is revoked: make a new one',
}

/** For a key that cannot be replaced by another, or was already: then by which. */
export function keyNotRotatable(
  { rotated_to: successor }: { readonly rotated_to: string | null },
  status: KeyStatus,
): AppError {
  const message =
    successor === null
      ? (REASONS[status] ?? 'The key cannot be rotated')
      : `The key was replaced by ${successor}: rotate that one`
  return new AppError('CONFLICT', message)
}
