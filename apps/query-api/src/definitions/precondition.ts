import { AppError } from '@olytix/errors'
import type { StoredDefinition } from './stored-definition.js'

/** What the headers If-Match and If-None-Match demand of a definition before it is changed. */
export interface Precondition {
  /** One of these revisions must have changed it last; `*`: it must be there. */
  readonly ifMatch: '*' | readonly number[] | undefined
  /** It must not be there yet. */
  readonly isNew: boolean
}

/** @throws AppError PRECONDITION_FAILED when somebody has changed the definition meanwhile */
export function requireMatch(
  existing: StoredDefinition | undefined,
  { ifMatch, isNew }: Precondition,
): void {
  if (isNew && existing) throw failed('It is there already')
  if (ifMatch === undefined) return
  if (!existing) throw failed('It is not there any more')
  if (ifMatch === '*' || ifMatch.includes(existing.revision)) return
  const newest = String(existing.revision)
  throw failed(`It was changed meanwhile: revision ${newest} is the newest`, existing.revision)
}

function failed(message: string, revision?: number): AppError {
  const headers = revision === undefined ? {} : { etag: `"${String(revision)}"` }
  return new AppError('PRECONDITION_FAILED', message, { headers })
}
