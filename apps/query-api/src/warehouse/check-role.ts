import { AppError } from '@olytix/errors'
import type { Statement, TextRows } from '@olytix/postgres'
import { findReader, listOwned, listReadings, type TableName } from './check-role.queries.js'

/** A table or view that questions may read. */
export interface ReadTable extends TableName {
  /** Whether everything that reads it has policies of ours. */
  readonly isPoliced: boolean
}

interface Reading extends TableName {
  /** What has row security. */
  readonly of: string
  /** Who counts as its reader. */
  readonly reader: string
  /** Whether that is who logs in. */
  readonly isOurs: boolean
  readonly escape: Escape | undefined
}

const ESCAPES = {
  exempt: 'who is a superuser or bypasses row security',
  owner: 'who owns it',
  materialised: 'and keeps rows for everybody, as materialised views do',
  partition: 'and is read by its own name, past the policies of the table that it is a part of',
  function: 'who owns that function: it is SECURITY DEFINER, and nobody can tell what it reads',
} as const
type Escape = keyof typeof ESCAPES

/** The first minor release of a major one whose statistics tell nothing of hidden rows (CVE-2025-8713). */
const FIRST_SAFE: Readonly<Record<number, number>> = { 13: 22, 14: 19, 15: 14, 16: 10, 17: 6 }

/** @see Warehouse.checkRole */
export async function checkRole(
  read: (statement: Statement) => Promise<TextRows['rows']>,
  tables: readonly ReadTable[],
  allowPrivileged: boolean,
): Promise<readonly string[]> {
  const [[role, isExempt, version] = []] = await read(findReader())
  const owned = await read(listOwned(tables))
  const readings = (await read(listReadings(tables))).map(toReading)
  const problems = [
    ...readings.filter((each) => isFatal(each, tables)).map(explain),
    ...(readings.length > 0 ? outdated(Number(version)) : []),
  ]
  const who = `the warehouse is read as ${String(role)}`
  if (problems.length > 0 && !allowPrivileged) {
    const message =
      `${who}, and its own row security would not hold: ${problems.join('; ')}. docs/row-security.md tells what to do; ` +
      `OLYTIX_WAREHOUSE__ALLOW_PRIVILEGED_ROLE=true starts nevertheless`
    throw new AppError('INVALID_PROJECT', message, { details: [{ path: 'warehouse', message }] })
  }
  const escaping = readings.filter(({ escape }) => escape !== undefined).map(explain)
  const ownedNames = owned.map(([name]) => String(name)).join(', ')
  return [
    ...new Set([...escaping, ...problems].map((each) => `row security does not hold: ${each}`)),
    ...(isExempt === 't' ? [`${who}, a superuser or one who bypasses row security`] : []),
    ...(isExempt !== 't' && ownedNames ? [`${who}, who owns ${ownedNames}`] : []),
  ]
}

function toReading([schema, table, of, reader, isOurs, escape]: TextRows['rows'][number]): Reading {
  return {
    schema: String(schema),
    table: String(table),
    of: String(of),
    reader: String(reader),
    isOurs: isOurs === 't',
    escape: isEscape(escape) ? escape : undefined,
  }
}

function isEscape(text: string | null | undefined): text is Escape {
  return typeof text === 'string' && Object.hasOwn(ESCAPES, text)
}

/** A way round through a view is closed by policies of ours; of what a function reads there is but suspicion. */
function isFatal(reading: Reading, tables: readonly ReadTable[]): boolean {
  if (reading.escape === undefined || reading.escape === 'function') return false
  const isDirect = reading.isOurs && (reading.escape === 'exempt' || reading.escape === 'owner')
  const uses = tables.filter(
    ({ schema, table }) => schema === reading.schema && table === reading.table,
  )
  return isDirect || !uses.every(({ isPoliced }) => isPoliced)
}

function explain({ schema, table, of, reader, escape }: Reading): string {
  const name = `${schema}.${table}`
  const how = escape === undefined ? '' : `, ${ESCAPES[escape]}`
  return of === name ? `${name} as ${reader}${how}` : `${name} reads ${of} as ${reader}${how}`
}

function outdated(version: number): string[] {
  const [major, minor] = [Math.floor(version / 10_000), version % 10_000]
  const first = FIRST_SAFE[major]
  if (major > 17 || (first !== undefined && minor >= first)) return []
  const wanted = first === undefined ? '18' : `${String(major)}.${String(first)}`
  return [
    `PostgreSQL ${String(major)}.${String(minor)} shows hidden rows in statistics (CVE-2025-8713); ${wanted} does not`,
  ]
}
