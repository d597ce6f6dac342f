import { type Invalidation, InvalidationKind, type WatchInvalidationsResponse } from '@olytix/proto'
import type { Change, SubjectKind } from '../audit/audit.service.js'
import type { InvalidationBatch } from './invalidations.service.js'

const KINDS: Readonly<Record<SubjectKind, InvalidationKind>> = {
  key: InvalidationKind.INVALIDATION_KIND_KEY,
  user: InvalidationKind.INVALIDATION_KIND_USER,
  role: InvalidationKind.INVALIDATION_KIND_ROLE,
  session: InvalidationKind.INVALIDATION_KIND_SESSION,
  signing_key: InvalidationKind.INVALIDATION_KIND_SIGNING_KEY,
}

/** What a watcher is told, as the wire carries it. */
export function toInvalidationsMessage(batch: InvalidationBatch): WatchInvalidationsResponse {
  const { revision, resync, changes } = batch
  return { revision, resync, invalidations: changes.map(toInvalidation) }
}

function toInvalidation({ kind, id }: Change): Invalidation {
  return { kind: KINDS[kind], id: kind === 'role' ? `role:${id}` : id }
}
