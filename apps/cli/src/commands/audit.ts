import type { Command } from 'commander'
import type { DataEvent } from '../api/audit-api.js'
import { renderTable } from '../output/table.js'
import type { CommandContext } from './command-context.js'
import { addEventOptions, type EventOptions } from './event-options.js'

const COLUMNS = ['time', 'type', 'by', 'cube', 'asked', 'rows', 'outcome', 'request']

/** The trail of questions; `auth audit` is that of keys, users and sign-in. */
export function addDataAudit(program: Command, context: CommandContext): void {
  addEventOptions(
    program
      .command('audit')
      .description('show who asked for which numbers, and who changed policies; newest first'),
    'data_access',
    'only on or by this id, e-mail address or cube',
  ).action(async ({ limit, ...query }: EventOptions) => {
    const { events, hasMore } = await (await context.api()).audit.list(query, limit)
    context.answer({ events }, () => renderEvents(events))
    if (hasMore) context.note(`There are older ones: --limit ${String(limit * 2)}, or --to.`)
  })
}

function renderEvents(events: readonly DataEvent[]): string {
  if (events.length === 0) return 'No such event.\n'
  return renderTable(
    COLUMNS.map((title) => ({ title })),
    events.map((event) => [
      event.timestamp,
      event.event_type,
      event.user_email ?? event.user_id ?? 'project folder',
      event.cube_name ?? '',
      askedFor(event),
      event.rows_returned?.toString() ?? '',
      event.access_granted ? 'granted' : `refused: ${event.denial_reason ?? 'no reason given'}`,
      event.request_id ?? '',
    ]),
  )
}

/** What was asked for, or what was changed. */
function askedFor(event: DataEvent): string {
  const { name } = event.additional_data
  const asked = [...event.measures_requested, ...event.dimensions_requested].join(', ')
  return asked === '' && typeof name === 'string' ? name : asked
}
