import type { Command } from 'commander'
import type { ListedKey } from '../api/identity-answers.js'
import { renderTable } from '../output/table.js'
import type { CommandContext } from './command-context.js'

const COLUMNS = ['id', 'name', 'hint', 'scopes', 'status', 'expires', 'last used']

export function addListKeys(auth: Command, context: CommandContext): void {
  auth
    .command('list-keys')
    .description('list the API keys, without their secrets')
    .action(async () => {
      const keys = await (await context.api()).keys.list()
      context.answer({ keys }, () =>
        renderTable(
          COLUMNS.map((title) => ({ title })),
          keys.map(toRow),
        ),
      )
    })
}

function toRow(key: ListedKey): string[] {
  return [
    key.id,
    key.name,
    `${key.hint}…`,
    key.scopes.join(', '),
    key.rotated_to ? `${key.status}, now ${key.rotated_to}` : key.status,
    key.expires_at?.slice(0, 10) ?? 'never',
    key.last_used_at ?? 'never',
  ]
}
