import { type Command, InvalidArgumentError, Option } from 'commander'
import { stringify } from 'csv-stringify/sync'
import type { QueryFilter, QueryRequest } from '../api/api-client.js'
import type { Cell, QueryAnswer } from '../api/answers.js'
import { renderTable } from '../output/table.js'
import { collect, collectList } from './comma-list.js'
import type { CommandContext } from './command-context.js'
import { renderExplanation } from './explanation.js'
import { type Condition, parseWhere } from './where.js'

interface Order {
  readonly field: string
  readonly direction: 'asc' | 'desc'
}

interface Options {
  readonly by?: readonly string[]
  readonly where?: readonly Condition[]
  readonly order?: readonly Order[]
  readonly limit?: number
  readonly offset?: number
  readonly format?: 'table' | 'json' | 'csv'
  readonly explain?: boolean
  readonly asUser?: string
}

export function addQuery(program: Command, context: CommandContext): void {
  const command = program
    .command('query')
    .description('ask for metrics, by dimensions; without metrics, for the values of dimensions')
    .argument('[metric...]', 'metrics or cube.measure')
    .option('--by <members>', 'cube.member or cube.time.month, separated by commas', collectList)
    .option('--where <condition>', "'member operator value'; repeatable", collect(parseWhere))
    .option('--order <member>', "'member' or 'member desc'; repeatable", collect(parseOrder))
    .option(
      '--limit <rows>',
      'at most so many rows (the server says how many by default)',
      parseCount,
    )
    .option('--offset <rows>', 'leave out so many rows first', parseCount)
    .option('--explain', 'say which policies and masks apply instead of asking')
    .option('--as-user <user>', 'with --explain, for admins: to this id or e-mail address')
    .addOption(new Option('--format <format>').choices(['table', 'json', 'csv']))
  command.action(async (metrics: string[], options: Options) => {
    const problem = problemOf(metrics, options, context.asJson)
    if (problem !== undefined) command.error(problem)
    if (options.explain) await explain(context, toRequest(metrics, options), options.asUser)
    else await ask(context, metrics, options)
  })
}

/** What does not go together. */
function problemOf(
  metrics: readonly string[],
  { by, format = 'json', explain: isExplained, asUser }: Options,
  asJson: boolean,
): string | undefined {
  if (asJson && format !== 'json') return `--json and --format ${format} exclude each other`
  if (metrics.length === 0 && !by) return 'name a metric, or a dimension with --by'
  return asUser !== undefined && !isExplained ? '--as-user goes with --explain' : undefined
}

async function ask(
  context: CommandContext,
  metrics: readonly string[],
  options: Options,
): Promise<void> {
  const format = options.format ?? (context.asJson ? 'json' : 'table')
  const answer = await (await context.api()).query(toRequest(metrics, options))
  if (format === 'json') context.printJson(answer)
  else context.print(format === 'csv' ? renderCsv(answer) : renderRows(answer, options.limit))
}

async function explain(
  context: CommandContext,
  request: QueryRequest,
  asUser: string | undefined,
): Promise<void> {
  const body = { ...request, ...(asUser === undefined ? {} : { as_user: asUser }) }
  const explanation = await (await context.api()).explain(body)
  context.answer(explanation, () => renderExplanation(explanation))
}

function toRequest(metrics: readonly string[], options: Options): QueryRequest {
  const { by, where, order, limit, offset } = options
  return {
    ...(metrics.length > 0 ? { metrics } : {}),
    ...(by ? { dimensions: by } : {}),
    ...(where ? { filters: where.map((condition) => toFilter(condition, metrics)) } : {}),
    ...(order ? { order_by: order } : {}),
    ...(limit === undefined ? {} : { limit }),
    ...(offset === undefined ? {} : { offset }),
  }
}

/** What is asked for as a metric, or has no cube in its name, filters groups. */
function toFilter({ member, ...rest }: Condition, metrics: readonly string[]): QueryFilter {
  const isMetric = metrics.includes(member) || !member.includes('.')
  return isMetric ? { metric: member, ...rest } : { dimension: member, ...rest }
}

function parseOrder(text: string): Order {
  const [, field, direction = 'asc'] = /^\s*(\S+?)(?:[\s:]+(asc|desc))?\s*$/.exec(text) ?? []
  if (field === undefined) throw new InvalidArgumentError("Expected 'member' or 'member desc'.")
  return { field, direction: direction === 'desc' ? 'desc' : 'asc' }
}

function parseCount(text: string): number {
  const count = /^\d+$/.test(text) ? Number(text) : NaN
  if (Number.isSafeInteger(count)) return count
  throw new InvalidArgumentError('Expected a whole number, 0 or more.')
}

function renderRows({ data, columns }: QueryAnswer, limit = 1000): string {
  const table = renderTable(
    columns.map(({ name, type }) => ({ title: name, align: type === 'number' ? 'right' : 'left' })),
    data.map((row) => columns.map(({ name }) => cellText(row[name]))),
  )
  const count = `${String(data.length)} ${data.length === 1 ? 'row' : 'rows'}`
  const more = data.length > 0 && data.length === limit ? ' (the limit: there may be more)' : ''
  return `${table}${count}${more}\n`
}

function renderCsv({ data, columns }: QueryAnswer): string {
  const names = columns.map(({ name }) => name)
  return stringify([names, ...data.map((row) => names.map((name) => cellText(row[name])))])
}

function cellText(value: Cell | undefined): string {
  return value === null || value === undefined ? '' : value.toString()
}
