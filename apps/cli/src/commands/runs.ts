import type { Command } from 'commander'
import type { Run, RunStep, RunSummary, RunVerb } from '../api/runs-api.js'
import { printable } from '../output/printable.js'
import { renderTable } from '../output/table.js'
import type { CommandContext } from './command-context.js'

interface Options {
  readonly select?: readonly string[]
  readonly fullRefresh?: boolean
}

const COLUMNS = ['id', 'kind', 'status', 'begun', 'by']
const ENDED = ['succeeded', 'failed', 'skipped']

/** `run`, `seed`, `test` and `freshness` begin a run and follow it; `runs` looks at those that were begun. */
export function addRuns(program: Command, context: CommandContext): void {
  addVerb(program, context, 'run', 'build models in the warehouse').option(
    '--full-refresh',
    'build incremental models from all rows',
  )
  addVerb(program, context, 'seed', 'load the CSV files of the project into the warehouse')
  addVerb(program, context, 'test', 'run the tests of the project, and count rows that fail')
  addVerb(program, context, 'freshness', 'look how old the newest rows of sources are')
  const runs = program.command('runs').description('look at runs of models, seeds and tests')
  runs
    .command('list', { isDefault: true })
    .description('the newest runs, newest first')
    .option(
      '--limit <n>',
      'how many',
      (text) => Math.min(Number.parseInt(text, 10) || 20, 1000),
      20,
    )
    .action(async ({ limit }: { readonly limit: number }) => {
      const found = await (await context.api()).runs.list(limit)
      context.answer({ runs: found }, () => renderRuns(found))
    })
  runs
    .command('show <id>')
    .description('a run as it is now; exit code 1 if it failed')
    .action(async (id: string) => {
      finish(context, await (await context.api()).runs.get(id), true)
    })
  runs
    .command('follow <id>')
    .description('a run until it is finished; exit code 1 if it failed')
    .action((id: string) => follow(context, id))
}

function addVerb(
  program: Command,
  context: CommandContext,
  verb: RunVerb,
  description: string,
): Command {
  return program
    .command(verb)
    .description(`${description}; exit code 1 if something fails`)
    .option('--select <word...>', 'what of it: a name, name+, +name, tag:…, path:… or source:…')
    .action(async ({ select = [], fullRefresh }: Options) => {
      const body = { select, ...(fullRefresh ? { full_refresh: true } : {}) }
      await follow(context, await (await context.api()).runs.start(verb, body))
    })
}

/** Tells of each step when it has ended, and of the run at the end. Whoever stops following leaves the run as it is. */
async function follow(context: CommandContext, id: string): Promise<void> {
  const api = await context.api()
  await context.interruptible(async (signal) => {
    const told = new Set<string>()
    let last: Run | undefined
    try {
      for await (const run of api.runs.follow(id, signal)) {
        last = run
        tellSteps(context, run, told)
      }
    } catch (error) {
      context.progress.clear()
      if (!signal.aborted) throw error
      context.note(`The run goes on. Look again: olytix-core runs follow ${id}`)
      context.fail()
      return
    }
    context.progress.clear()
    if (last) finish(context, last, false)
  })
}

function tellSteps(context: CommandContext, run: Run, told: Set<string>): void {
  const ended = run.steps.filter(({ status }) => ENDED.includes(status))
  context.progress.clear()
  for (const step of ended.filter(({ name }) => !told.has(name))) {
    told.add(step.name)
    if (!context.asJson) context.print(renderStep(step))
  }
  const underWay = run.steps.filter(({ status }) => status === 'running')
  const label = underWay.map(({ name }) => name).join(', ')
  context.progress.show({ done: ended.length, total: run.steps.length, label })
}

/** @param withSteps whether its steps were not told of before */
function finish(context: CommandContext, run: Run, withSteps: boolean): void {
  context.answer(run, () => (withSteps ? run.steps.map(renderStep).join('') : '') + renderEnd(run))
  if (run.status === 'failed') context.fail()
}

function renderStep({
  name,
  status,
  rows,
  duration_ms: duration,
  message,
  error,
}: RunStep): string {
  const state = error?.sqlstate ?? error?.sqlstate_class
  const parts = [
    status.padEnd(9),
    name,
    rows ? `${rows.toString()} rows` : '',
    duration ? `${(Number(duration) / 1000).toFixed(1)} s` : '',
    error?.message ?? message ?? '',
    state ? `SQLSTATE ${state}` : '',
  ]
  return `${printable(parts.filter((part) => part !== '').join('  '))}\n`
}

function renderEnd({ id, status, steps }: Run): string {
  const counts = [...ENDED, 'running', 'pending'].flatMap((each) => {
    const count = steps.filter((step) => step.status === each).length
    return count > 0 ? [`${String(count)} ${each}`] : []
  })
  return `${printable(`${id} ${status}: ${counts.join(', ') || 'nothing to do'}`)}\n`
}

function renderRuns(runs: readonly RunSummary[]): string {
  if (runs.length === 0) return 'No runs yet.\n'
  return renderTable(
    COLUMNS.map((title) => ({ title })),
    runs.map((run) => [
      run.id,
      run.kind,
      run.status,
      run.created_at,
      run.requested_by?.email ?? run.requested_by?.id ?? '',
    ]),
  )
}
