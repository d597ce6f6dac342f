import { forbidden } from '@olytix/errors'
import type { Session } from '@olytix/proto'
import type { PrincipalOrigin } from '../audit/origin.js'
import type { SessionRow } from './sessions.queries.js'

/** The id of the user who calls. @throws AppError FORBIDDEN for an API key */
export function demandUser({ principal }: PrincipalOrigin): string {
  if (principal.kind !== 'user') throw forbidden('an API key has no sessions and no password')
  return principal.id
}

/** @param currentId of the session whose access token the call carries */
export function toSessionMessage(row: SessionRow, currentId: string | null): Session {
  return {
    id: row.id,
    createdAt: row.created_at,
    lastUsedAt: row.refreshed_at,
    expiresAt: row.expires_at,
    clientIp: row.client_ip ?? '',
    userAgent: row.user_agent,
    current: row.id === currentId,
  }
}
