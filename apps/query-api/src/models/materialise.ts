import type { Transaction } from '@olytix/postgres'
import { trusted } from '@olytix/postgres'
import type { Increment } from '../project/model.js'
import type { MadeFrom } from '../project/follow-relations.js'
import type { TableName } from '../project/project.js'
import type { BuildRecord } from './build-records.js'
import { type BuildMark, markText, readMark } from './build-mark.js'
import { checkHook } from './hooks.js'
import * as queries from './materialise.queries.js'
import type { Column, FoundTarget } from './materialise.queries.js'
import { type StepContext, StepFailure, type StepResult } from './run-step.js'

const LOCK_WAIT_MS = 10_000

/** A table or view that is made from a SELECT. All SQL comes from a project that compiled. */
export interface Build {
  /** `model orders`, `seed regions` */
  readonly what: string
  /** The project that it is part of. */
  readonly project: string
  readonly target: TableName
  readonly kind: 'table' | 'view'
  /** What gives all its rows. */
  readonly select: string
  /** What rows of any build of it may come from, down to columns of tables. */
  readonly lineage: MadeFrom
  /** What gives the rows that are new, where rows are only added. */
  readonly increment?: Increment | undefined
  readonly hooks?: { readonly pre: readonly string[]; readonly post: readonly string[] }
}

/**
 * Builds in one transaction: readers see what was there before or all of what is new. A table that is there keeps being
 * the same table, emptied and filled, so that grants, row security, policies, indexes and views of it stay as they are.
 * A run that built it already does not build it again. What the rows of a table come from is recorded, and every replica
 * knows it, before anybody can read them.
 * @throws StepFailure when something else stands under that name; whatever the database says
 */
export async function buildTarget(context: StepContext, build: Build): Promise<StepResult> {
  const { builder, builds, signal, runId } = context
  const { target } = build
  await builder.transaction((transaction) => ensureSchema(transaction, target), signal)
  const built = await builder.transaction(async (transaction): Promise<Built> => {
    await queries.lockTarget(transaction, target)
    const found = await queries.findTarget(transaction, target)
    const mark = found && requireOurs(found, build)
    if (mark?.runId === runId) return { rows: mark.rows, message: 'built already in this run' }
    return buildLocked(transaction, context, build, found)
  }, signal)
  const { record, isAnew = false, ...result } = built
  if (build.kind === 'table') await builds.finish(target, isAnew ? record : undefined)
  return result
}

interface Built extends StepResult {
  /** None of the rows before are left. */
  readonly isAnew?: boolean
  readonly record?: BuildRecord
}

/** While nobody else builds it: so records of the builds of a table are in the order of the builds. */
async function buildLocked(
  transaction: Transaction,
  context: StepContext,
  build: Build,
  found: FoundTarget | undefined,
): Promise<Built> {
  const { what, project, target, kind, lineage } = build
  const { builds, runId } = context
  const record = kind === 'table' ? await builds.begin(target, { runId, lineage }) : undefined
  await queries.limitLockWaits(transaction, LOCK_WAIT_MS)
  await runHooks(transaction, build.hooks?.pre)
  const made = await make(transaction, build, found, context.isFullRefresh)
  const text = markText({ what, project, runId, rows: made.rows })
  await queries.comment(transaction, target, kind, text)
  await runHooks(transaction, build.hooks?.post)
  await record?.settle(context.signal)
  return { ...made, ...(record && { record }) }
}

async function ensureSchema(transaction: Transaction, { schema }: TableName): Promise<void> {
  if (await queries.schemaExists(transaction, schema)) return
  await queries.lockTarget(transaction, { schema, table: '' })
  if (await queries.schemaExists(transaction, schema)) return
  await queries.createSchema(transaction, schema)
}

/** Nobody else's table is ever touched: it is ours to replace if we own it and our comment says so. */
function requireOurs({ isOwned, comment }: FoundTarget, build: Build): BuildMark {
  const mark = readMark(comment)
  const { schema, table } = build.target
  const name = `${schema}.${table}`
  if (!isOwned || !mark) {
    throw new StepFailure(`${name} is there already and is not ours to replace; rename or drop it`)
  }
  if (mark.project !== build.project) {
    throw new StepFailure(`${name} belongs to the project ${mark.project}`)
  }
  return mark
}

async function runHooks(transaction: Transaction, hooks: readonly string[] = []): Promise<void> {
  for (const hook of hooks) {
    checkHook(hook)
    await transaction.execute(trusted(hook))
  }
}

function make(
  transaction: Transaction,
  build: Build,
  found: FoundTarget | undefined,
  isFullRefresh: boolean,
): Promise<Built> {
  if (build.kind === 'view') return makeView(transaction, build, found)
  if (found?.kind === 'table') return fillTable(transaction, build, found, isFullRefresh)
  return replaceBy(transaction, build, found, async () => {
    return { rows: await createTable(transaction, build), isAnew: true }
  })
}

async function createTable(transaction: Transaction, build: Build): Promise<number> {
  const rows = await queries.createTable(transaction, build.target, build.select)
  await queries.analyze(transaction, build.target)
  return rows
}

async function makeView(
  transaction: Transaction,
  build: Build,
  found: FoundTarget | undefined,
): Promise<StepResult> {
  const { target, select } = build
  const columns = await queries.columnsOf(transaction, select)
  const create = async (): Promise<StepResult> => {
    await queries.makeView(transaction, target, select)
    return { rows: null }
  }
  // PostgreSQL replaces a view whose columns stay, with more at the end, and nothing else.
  const isSame = found?.columns.every((each, index) => isEqual(each, columns[index])) ?? true
  const isReplaceable = found?.kind === 'view' && isSame
  return isReplaceable ? create() : replaceBy(transaction, build, found, create)
}

/** Makes something new under the name; who might read what stood there may read it, and nobody else. */
async function replaceBy(
  transaction: Transaction,
  { target }: Build,
  found: FoundTarget | undefined,
  create: () => Promise<Built>,
): Promise<Built> {
  if (!found) return create()
  const name = `${target.schema}.${target.table}`
  if (found.kind === 'other') throw new StepFailure(`${name} is neither a table nor a view`)
  if (found.isGuarded) {
    throw new StepFailure(`${name} has row security, which a view would lose; drop it first`)
  }
  const { grants } = await queries.listReadGrants(transaction, target)
  await queries.dropTarget(transaction, target, found.kind)
  const result = await create()
  const { revokes } = await queries.listReadGrants(transaction, target)
  await queries.executeAll(transaction, [...revokes, ...grants])
  return result
}

async function fillTable(
  transaction: Transaction,
  build: Build,
  found: FoundTarget,
  isFullRefresh: boolean,
): Promise<Built> {
  const { target, increment } = build
  if (found.isForced) await queries.force(transaction, target, false)
  const columns = await queries.columnsOf(transaction, increment?.select ?? build.select)
  const asked = isFullRefresh ? undefined : increment
  const added = asked && haveSame(found.columns, columns) ? asked : undefined
  const rows = added
    ? await addRows(transaction, target, columns, added)
    : await refill(transaction, build, found.columns)
  if (found.isForced) await queries.force(transaction, target, true)
  await queries.analyze(transaction, target)
  return {
    rows,
    isAnew: !added,
    ...(asked !== added && { message: 'its columns changed, so it was built in full' }),
  }
}

async function refill(
  transaction: Transaction,
  { target, select }: Build,
  before: readonly Column[],
): Promise<number> {
  const columns = await queries.columnsOf(transaction, select)
  const isSame = haveSame(before, columns)
  // Its own rows may be read by what fills it, and its columns be in use there.
  if (!isSame) await queries.keepAside(transaction, select)
  await queries.demandAllRows(transaction, true)
  await queries.deleteAll(transaction, target)
  await queries.demandAllRows(transaction, false)
  if (!isSame) await queries.changeColumns(transaction, target, before, columns)
  return queries.insertRows(transaction, target, columns, isSame ? select : queries.ASIDE)
}

async function addRows(
  transaction: Transaction,
  target: TableName,
  columns: readonly Column[],
  { select, strategy, uniqueKey }: Increment,
): Promise<number> {
  if (strategy === 'append') return queries.insertRows(transaction, target, columns, select)
  await queries.keepAside(transaction, select)
  if (await queries.hasNullKeys(transaction, uniqueKey)) {
    throw new StepFailure(`a new row has no value in its unique_key (${uniqueKey.join(', ')})`)
  }
  if (strategy === 'merge') return queries.mergeRows(transaction, target, columns, uniqueKey)
  await queries.deleteReplaced(transaction, target, uniqueKey)
  return queries.insertRows(transaction, target, columns, queries.ASIDE)
}

function haveSame(some: readonly Column[], others: readonly Column[]): boolean {
  const types = new Map(some.map(({ name, type }) => [name, type]))
  return some.length === others.length && others.every(({ name, type }) => types.get(name) === type)
}

function isEqual(one: Column, other: Column | undefined): boolean {
  return one.name === other?.name && one.type === other.type
}
