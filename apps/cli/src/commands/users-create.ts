import type { Command } from 'commander'
import { printable } from '../output/printable.js'
import { type Attributes, collectAttribute } from './attributes.js'
import { chosenPassword, newPasswordQuestions } from './auth-password.js'
import { collectList } from './comma-list.js'
import type { CommandContext } from './command-context.js'
import { renderToken } from './one-time-token.js'

interface Options {
  readonly email: string
  readonly name?: string
  readonly roles?: readonly string[]
  readonly attr?: Attributes
  readonly disabled?: true
  readonly passwordStdin?: true
}

export function addCreateUser(users: Command, context: CommandContext): void {
  const command = users
    .command('create')
    .description('create a user; the answer holds an invite with which he chooses a password')
    .requiredOption('--email <address>', 'with which he signs in')
    .option('--name <name>', 'what to call him')
    .option('--roles <roles>', 'separated by commas (default: viewer)', collectList)
    .option('--attr <name=value>', 'attribute for row-level policies; repeatable', collectAttribute)
    .option('--disabled', 'switched off until he is enabled')
    .option('--password-stdin', 'read a password from standard input instead of inviting him')
  command.action(async (options: Options) => {
    const api = await context.api()
    const created = await api.users.create({
      email: options.email,
      name: options.name,
      password: options.passwordStdin ? await readPassword(command, context) : undefined,
      roles: options.roles,
      attributes: options.attr,
      disabled: options.disabled,
    })
    context.answer(created, () => {
      const { id, email, invite_token: token, invite_expires_at: expiresAt } = created
      const head = `User Created: ${printable(email)} (${id})\n`
      return token ? `${head}\n${renderToken('Invite', email, token, expiresAt ?? '')}` : head
    })
  })
}

async function readPassword(command: Command, context: CommandContext): Promise<string> {
  const answers = await context.readAnswers(newPasswordQuestions(context))
  return chosenPassword(command, context, answers)
}
