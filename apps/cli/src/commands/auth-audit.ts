import type { Command } from 'commander'
import type { AuditEvent, ChainCheck } from '../api/identity-answers.js'
import { printable } from '../output/printable.js'
import { renderTable } from '../output/table.js'
import type { CommandContext } from './command-context.js'
import { addEventOptions, type EventOptions } from './event-options.js'

const COLUMNS = ['time', 'type', 'by', 'on', 'address', 'outcome', 'request']

export function addAudit(auth: Command, context: CommandContext): void {
  const group = auth.command('audit').description('show security events, newest first')
  addEventOptions(group, 'key_created', 'only on or by this id').action(
    async ({ limit, ...query }: EventOptions) => {
      const { events, hasMore } = await (await context.api()).security.listEvents(query, limit)
      context.answer({ events }, () => renderEvents(events))
      if (hasMore) context.note(`There are older ones: --limit ${String(limit * 2)}, or --to.`)
    },
  )
  group
    .command('verify')
    .description('check that no event was changed or removed; exit code 1 if one was')
    .action(async () => {
      const check = await (await context.api()).security.verifyEvents()
      context.answer(check, () => renderCheck(check))
      if (!check.intact) context.fail()
    })
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
