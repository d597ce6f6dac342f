import pg from 'pg'

/** Whether PostgreSQL refused a statement because of the constraint of this name. */
export function violates(error: unknown, constraint: string): boolean {
  return error instanceof pg.DatabaseError && error.constraint === constraint
}

/** The five-character SQLSTATE of an error from PostgreSQL; `undefined` for anything else. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined
}

/** Whether the server could not be asked at all: refused, cut off, shutting down, or no connection in time. */
export function isUnreachable(error: unknown): boolean {
  const state = sqlState(error)
  return state === undefined
    ? CONNECTION_TROUBLE.test(describe(error))
    : /^(08|57P|53300)/.test(state)
}

const CONNECTION_TROUBLE =
  /ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|ETIMEDOUT|EAI_AGAIN|ENOENT|terminated|(connection|read) timeout|timeout exceeded|Connection ended|is not queryable/i

/** Errors of Node's own are recognised by shape, not by class: they may come from another realm. */
function describe(error: unknown): string {
  if (typeof error !== 'object' || error === null) return ''
  const code = 'code' in error ? String(error.code) : ''
  const message = 'message' in error ? String(error.message) : ''
  return `${code} ${message}`
}
