import { type Command, InvalidArgumentError } from 'commander'
import type { AuditEvent, ChainCheck } from '../api/identity-answers.js'
import type { EventQuery } from '../api/security-api.js'
import { printable } from '../output/printable.js'
import { renderTable } from '../output/table.js'
import type { CommandContext } from './command-context.js'
import { parseMoment } from './moments.js'

const COLUMNS = ['time', 'type', 'by', 'on', 'address', 'outcome', 'request']
const MAX_LIMIT = 100_000

interface Options extends EventQuery {
  readonly limit: number
}

export function addAudit(auth: Command, context: CommandContext): void {
  const group = auth
    .command('audit')
    .description('show security events, newest first')
    .option('--type <type>', 'only of this type, as in key_created')
    .option('--subject <id>', 'only on or by this id')
    .option('--from <moment>', 'from this date or moment on', parseMoment)
    .option('--to <moment>', 'before this date or moment', parseMoment)
    .option('--limit <n>', 'at most so many', parseLimit, 100)
    .action(async ({ limit, ...query }: Options) => {
      const { events, hasMore } = await (await context.api()).security.listEvents(query, limit)
      context.answer({ events }, () => renderEvents(events))
      if (hasMore) context.note(`There are older ones: --limit ${String(limit * 2)}, or --to.`)
    })
  group
    .command('verify')
    .description('check that no event was changed or removed; exit code 1 if one was')
    .action(async () => {
      const check = await (await context.api()).security.verifyEvents()
      context.answer(check, () => renderCheck(check))
      if (!check.intact) context.fail()
    })
}

function parseLimit(text: string): number {
  const limit = /^[1-9]\d*$/.test(text) ? Number(text) : NaN
  if (limit <= MAX_LIMIT) return limit
  throw new InvalidArgumentError(`Expected a number from 1 to ${String(MAX_LIMIT)}.`)
}

function renderEvents(events: readonly AuditEvent[]): string {
  if (events.length === 0) return 'No such event.\n'
  return renderTable(
    COLUMNS.map((title) => ({ title })),
    events.map(toRow),
  )
}

/** Whoever keeps the hash elsewhere finds out later even about a trail that was rewritten as a whole. */
function renderCheck(check: ChainCheck): string {
  const { intact, events_checked: checked, first_broken_id: broken, head_hash: hash } = check
  if (!intact) {
    const place = printable(broken ?? 'an unknown event')
    return `BROKEN at ${place}: ${String(checked)} events were checked\n`
  }
  const head = hash ? `Hash of the last one: ${printable(hash)}\n` : ''
  return `Intact: ${String(checked)} events, each as it was written\n${head}`
}

function toRow(event: AuditEvent): string[] {
  const refused = `refused: ${event.denial_reason ?? 'no reason given'}`
  return [
    event.timestamp,
    event.event_type,
    event.user_email ?? event.user_id ?? '',
    event.subject ?? '',
    event.client_ip ?? '',
    event.access_granted === false ? refused : 'granted',
    event.request_id ?? '',
  ]
}
