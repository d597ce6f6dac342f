/** What happened; the words of the documentation. */
export const AUDIT_EVENT_TYPES = [
  'authentication',
  'authorization',
  'key_created',
  'key_updated',
  'key_rotated',
  'key_revoked',
  'key_expiring',
  'user_created',
  'user_updated',
  'user_disabled',
  'user_deleted',
  'password_changed',
  'role_changed',
  'role_deleted',
  'session_created',
  'session_revoked',
  'refresh_reuse_detected',
  'signing_key_rotated',
  'identity_linked',
] as const

export type AuditEventType = (typeof AUDIT_EVENT_TYPES)[number]
