import { type Command, Option } from 'commander'
import type { KeyUsage } from '../api/identity-answers.js'
import type { UsageQuery } from '../api/keys-api.js'
import { printable } from '../output/printable.js'
import { renderTable } from '../output/table.js'
import type { CommandContext } from './command-context.js'
import { checkId } from './ids.js'
import { parseMoment } from './moments.js'

export function addKeyUsage(auth: Command, context: CommandContext): void {
  const command = auth
    .command('key-usage')
    .description('show how often an API key was used, by outcome')
    .argument('<id>', 'as list-keys shows it')
    .option('--from <moment>', 'from this date or moment on', parseMoment)
    .option('--to <moment>', 'before this date or moment', parseMoment)
    .addOption(new Option('--granularity <size>', 'a line per').choices(['hour', 'day']))
  command.action(async (id: string, options: UsageQuery) => {
    checkId(command, id, 'list-keys')
    const usage = await (await context.api()).keys.usage(id, options)
    context.answer(usage, () => renderUsage(usage))
  })
}

function renderUsage({ usage, last_client_ip: address }: KeyUsage): string {
  if (usage.length === 0) return 'No requests in this time.\n'
  const outcomes = [...new Set(usage.flatMap(({ requests }) => Object.keys(requests)))].toSorted()
  const table = renderTable(
    [{ title: 'start' }, ...outcomes.map((title) => ({ title, align: 'right' as const }))],
    usage.map(({ start, requests }) => [
      start,
      ...outcomes.map((outcome) => String(requests[outcome] ?? 0)),
    ]),
  )
  return address ? `${table}\nLast address: ${printable(address)}\n` : table
}
