import type { Command } from 'commander'
import type { Session } from '../api/identity-answers.js'
import { renderTable } from '../output/table.js'
import type { CommandContext } from './command-context.js'
import { checkId } from './ids.js'

const COLUMNS = ['id', 'began', 'last used', 'ends', 'address', 'client', '']

export function addSessions(auth: Command, context: CommandContext): void {
  auth
    .command('sessions')
    .description('list where you are signed in')
    .action(async () => {
      const sessions = await (await context.api()).account.listSessions()
      context.answer({ sessions }, () =>
        renderTable(
          COLUMNS.map((title) => ({ title })),
          sessions.map(toRow),
        ),
      )
    })
}

export function addEndSession(auth: Command, context: CommandContext): void {
  const command = auth
    .command('end-session')
    .description('sign out somewhere else')
    .argument('<id>', 'as sessions shows it')
  command.action(async (id: string) => {
    checkId(command, id, 'sessions')
    await (await context.api()).account.endSession(id)
    context.answer({ id, ended: true }, () => `Session Ended: ${id}\n`)
  })
}

function toRow(session: Session): string[] {
  return [
    session.id,
    session.created_at,
    session.last_used_at ?? 'never',
    session.expires_at ?? 'never',
    session.client_ip ?? '',
    session.user_agent ?? '',
    session.current ? 'this one' : '',
  ]
}
