import type { Command } from 'commander'
import { printable } from '../output/printable.js'
import { type Attributes, collectAttribute } from './attributes.js'
import { isEmpty } from './changes.js'
import { collectList } from './comma-list.js'
import type { CommandContext } from './command-context.js'
import { findUser } from './users-find.js'

/** `--no-roles` gives `false`: none from now on. */
interface Options {
  readonly email?: string
  readonly name?: string
  readonly roles?: readonly string[] | false
  readonly attr?: Attributes | false
  readonly emailVerified?: boolean
}

export function addUpdateUser(users: Command, context: CommandContext): void {
  const command = users
    .command('update')
    .description('change a user; what is given replaces what was there')
    .argument('<user>', 'id or e-mail address')
    .option('--email <address>', 'with which he signs in')
    .option('--name <name>', 'what to call him')
    .option('--roles <roles>', 'separated by commas', collectList)
    .option('--no-roles', 'no roles')
    .option('--attr <name=value>', 'attribute for row-level policies; repeatable', collectAttribute)
    .option('--no-attr', 'no attributes')
    .option('--email-verified', 'he has proved that the address is his')
    .option('--no-email-verified', 'he has not')
  command.action(async (text: string, { email, name, roles, attr, emailVerified }: Options) => {
    const change = {
      email,
      name,
      roles: roles === false ? [] : roles,
      attributes: attr === false ? {} : attr,
      email_verified: emailVerified,
    }
    if (isEmpty(change)) command.error('there is nothing to change: see --help')
    const api = await context.api()
    const { id } = await findUser(command, api, text)
    const user = await api.users.update(id, change)
    context.answer(user, () => `User Changed: ${printable(user.email)} (${id})\n`)
  })
}
