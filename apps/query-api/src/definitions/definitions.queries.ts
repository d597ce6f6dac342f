import { AppError } from '@olytix/errors'
import { type Queryable, sql, sqlState } from '@olytix/postgres'
import { z } from 'zod'
import { PROJECT_CHANNEL } from '../project/current-project.js'
import { DEFINITION_KINDS, type DefinitionKind } from '../project/definitions.js'
import type { DefinitionChange } from './changes.js'
import {
  type DefinitionVersion,
  type StoredDefinition,
  type RevisionChange,
  revisionChange,
  revisionSummary,
  type RevisionSummary,
  storedDefinition,
  definitionVersion,
} from './stored-definition.js'
import { type Document, DOCUMENT_KINDS, DOCUMENT_STATES } from './documents.js'

/** Any number of our own: whoever makes a revision holds it until it is committed. */
const LOCK = 7_365_414_211

/** A writer waits so long for the one before, who may be gone without a word: the server ends such a one. */
const TURN = { lockTimeoutMs: 10_000, idleTimeoutMs: 60_000 }

/** A follower looks often: a connection whose other end is gone must not keep it at an old revision. */
const READ_TIMEOUT_MS = 2_000
const DOCUMENTS_TIMEOUT_MS = 15_000

/** Writers take turns; held to the end of the transaction. @throws AppError UNAVAILABLE when the turn does not come */
export async function lockDefinitions(
  transaction: Queryable,
  { lockTimeoutMs, idleTimeoutMs }: typeof TURN = TURN,
): Promise<void> {
  await transaction.execute(sql`
    select
      set_config('lock_timeout', ${String(lockTimeoutMs)}, true),
      set_config('idle_in_transaction_session_timeout', ${String(idleTimeoutMs)}, true)`)
  try {
    await transaction.execute(sql`select pg_advisory_xact_lock(${LOCK})`)
  } catch (cause) {
    if (sqlState(cause) !== LOCK_NOT_AVAILABLE) throw cause
    throw new AppError('UNAVAILABLE', 'Somebody else is changing the definitions; try again', {
      cause,
      headers: { 'retry-after': '1' },
    })
  }
}

const LOCK_NOT_AVAILABLE = '55P03'

const revisionNumber = z.object({ revision: z.coerce.number() })

/** The newest revision of a project; 0 when it has none. */
export async function findHead(database: Queryable, project: string): Promise<number> {
  const row = await database.maybeOne(
    revisionNumber,
    sql`select coalesce(max(revision), 0) as revision from revisions where project = ${project}`.within(
      READ_TIMEOUT_MS,
    ),
  )
  return row?.revision ?? 0
}

const documentRow = z.object({
  kind: z.enum(DOCUMENT_KINDS),
  name: z.string(),
  state: z.enum(DOCUMENT_STATES),
  text: z.string().nullable(),
})

/** The documents that hold in a revision. */
export function listDocuments(
  database: Queryable,
  project: string,
  revision: number,
): Promise<Document[]> {
  return database.many(
    documentRow,
    sql`
      select distinct on (kind, name) kind, name, state, text
      from documents
      where project = ${project} and revision <= ${revision}
      order by kind, name, revision desc`.within(DOCUMENTS_TIMEOUT_MS),
  )
}

/** Who made a revision, and why. */
export interface NewRevision {
  readonly project: string
  readonly origin: 'folder' | 'api'
  readonly authorId: string | null
  readonly authorEmail: string | null
  readonly summary: string
}

/** @returns its number: one more than the last one of any project. Under `lockDefinitions` only. */
export async function insertRevision(
  transaction: Queryable,
  { project, origin, authorId, authorEmail, summary }: NewRevision,
): Promise<number> {
  const row = await transaction.maybeOne(
    revisionNumber,
    sql`
      insert into revisions (revision, project, origin, author_id, author_email, summary)
      select coalesce(max(revision), 0) + 1, ${project}::text, ${origin}::text, ${authorId}::text, ${authorEmail}::text,
        ${summary}::text
      from revisions
      returning revision`,
  )
  return row?.revision ?? 0
}

/** Which revision of which project rows belong to. */
export interface RevisionKey {
  readonly project: string
  readonly revision: number
}

export async function insertDocuments(
  transaction: Queryable,
  { project, revision }: RevisionKey,
  documents: readonly Document[],
): Promise<void> {
  await transaction.execute(sql`
    insert into documents (revision, project, kind, name, state, text)
    select ${revision}::bigint, ${project}::text, kind, name, state, text
    from jsonb_to_recordset(${JSON.stringify(documents)}) as (kind text, name text, state text, text text)`)
}

export async function insertChanges(
  transaction: Queryable,
  { project, revision }: RevisionKey,
  changes: readonly DefinitionChange[],
): Promise<void> {
  const rows = changes.map(({ kind, name, change, text, path, isEdited }) => ({
    kind,
    name,
    change,
    text: change === 'deleted' ? null : text,
    path,
    is_edited: isEdited,
  }))
  await transaction.execute(sql`
    insert into definitions (revision, project, kind, name, change, text, path, is_edited)
    select ${revision}::bigint, ${project}::text, kind, name, change, text, path, is_edited
    from jsonb_to_recordset(${JSON.stringify(rows)}) as (
      kind text, name text, change text, text text, path text, is_edited boolean
    )`)
}

/** Tells every replica, once the transaction is committed. */
export async function notifyRevision(transaction: Queryable, revision: number): Promise<void> {
  await transaction.execute(sql`select pg_notify(${PROJECT_CHANNEL}, ${String(revision)})`)
}

/** The definitions that there are (or were in a revision), by kind and name. */
export function listDefinitions(
  database: Queryable,
  project: string,
  kinds: readonly DefinitionKind[] = DEFINITION_KINDS,
  revision: number | null = null,
): Promise<StoredDefinition[]> {
  return database.many(
    storedDefinition,
    sql`
      select kind, name, text, path, is_edited as "isEdited", revision, created_at as "changedAt",
        author_id as "authorId", author_email as "authorEmail"
      from (
        select distinct on (kind, name) kind, name, change, text, path, is_edited, revision
        from definitions
        where project = ${project} and kind = any (${kinds})
          and (${revision}::bigint is null or revision <= ${revision})
        order by kind, name, revision desc
      ) as newest
      join revisions using (revision)
      where change <> 'deleted'
      order by kind, name`,
  )
}

/** The changes of the definitions of a name, newest first. */
export function listVersions(
  database: Queryable,
  project: string,
  { kinds, name }: { readonly kinds: readonly DefinitionKind[]; readonly name: string },
): Promise<DefinitionVersion[]> {
  return database.many(
    definitionVersion,
    sql`
      select kind, name, revision, change, text, origin, created_at as "changedAt",
        author_id as "authorId", author_email as "authorEmail"
      from definitions
      join revisions using (revision)
      where definitions.project = ${project} and kind = any (${kinds}) and name = ${name}
      order by revision desc
      limit 1000`,
  )
}

/** A revision of a project, if there is one of this number. */
export function findRevision(
  database: Queryable,
  { project, revision }: RevisionKey,
): Promise<RevisionSummary | undefined> {
  return database.maybeOne(
    revisionSummary,
    sql`
      select revision, created_at as "createdAt", origin, author_id as "authorId",
        author_email as "authorEmail", summary
      from revisions
      where project = ${project} and revision = ${revision}`,
  )
}

/** What a revision changed, by kind and name. */
export function listChanges(
  database: Queryable,
  { project, revision }: RevisionKey,
  kinds: readonly DefinitionKind[],
): Promise<RevisionChange[]> {
  return database.many(
    revisionChange,
    sql`
      select kind, name, change
      from definitions
      where project = ${project} and revision = ${revision} and kind = any (${kinds})
      order by kind, name`,
  )
}

/** The newest revisions of a project. */
export function listRevisions(database: Queryable, project: string): Promise<RevisionSummary[]> {
  return database.many(
    revisionSummary,
    sql`
      select revision, created_at as "createdAt", origin, author_id as "authorId",
        author_email as "authorEmail", summary
      from revisions
      where project = ${project}
      order by revision desc
      limit 1000`,
  )
}
