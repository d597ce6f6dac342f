import type { Command } from 'commander'
import type { User } from '../api/identity-answers.js'
import { printable } from '../output/printable.js'
import { renderFields, renderTable } from '../output/table.js'
import type { CommandContext } from './command-context.js'
import { renderToken } from './one-time-token.js'
import { addCreateUser } from './users-create.js'
import { findUser } from './users-find.js'
import { addUpdateUser } from './users-update.js'
import { attributeFields } from './whoami.js'

const COLUMNS = ['id', 'email', 'name', 'roles', 'status', 'last login']

export function addUsers(program: Command, context: CommandContext): void {
  const users = program.command('users').description('people with an account')
  users
    .command('list')
    .description('list all users')
    .action(async () => {
      const list = await (await context.api()).users.list()
      context.answer({ users: list }, () =>
        renderTable(
          COLUMNS.map((title) => ({ title })),
          list.map(toRow),
        ),
      )
    })
  addShow(users, context)
  addCreateUser(users, context)
  addUpdateUser(users, context)
  addSwitch(users, context, 'disable')
  addSwitch(users, context, 'enable')
  addDelete(users, context)
  addReset(users, context)
}

function addShow(users: Command, context: CommandContext): void {
  const command = withUser(users.command('show').description('show one user'))
  command.action(async (text: string) => {
    const user = await findUser(command, await context.api(), text)
    context.answer(user, () => renderUser(user))
  })
}

const SWITCHES = {
  disable: {
    description: 'refuse a user, his sessions and the keys he made, at once',
    disabled: true,
    done: 'User Disabled',
    next: 'Every credential of this user is refused from now on.',
  },
  enable: {
    description: 'let a disabled user in again',
    disabled: false,
    done: 'User Enabled',
    next: 'The keys this user made work again; he signs in anew.',
  },
} as const

function addSwitch(users: Command, context: CommandContext, name: keyof typeof SWITCHES): void {
  const { description, disabled, done, next } = SWITCHES[name]
  const command = withUser(users.command(name).description(description))
  command.action(async (text: string) => {
    const api = await context.api()
    const { id } = await findUser(command, api, text)
    const user = await api.users.update(id, { disabled })
    context.answer(user, () => `${done}: ${printable(user.email)} (${id})\n${next}\n`)
  })
}

function addDelete(users: Command, context: CommandContext): void {
  const command = withUser(users.command('delete').description('delete a user for good'))
  command.action(async (text: string) => {
    const api = await context.api()
    const { id, email } = await findUser(command, api, text)
    await api.users.delete(id)
    context.answer({ id, deleted: true }, () => `User Deleted: ${printable(email)} (${id})\n`)
  })
}

function addReset(users: Command, context: CommandContext): void {
  const description = 'give a token with which a user chooses a new password; it is shown this once'
  const command = withUser(users.command('reset-password').description(description))
  command.action(async (text: string) => {
    const api = await context.api()
    const { id, email } = await findUser(command, api, text)
    const token = await api.users.resetPassword(id)
    context.answer({ id, ...token }, () =>
      renderToken('Reset Token Created', email, token.token, token.expires_at),
    )
  })
}

function withUser(command: Command): Command {
  return command.argument('<user>', 'id or e-mail address')
}

function renderUser(user: User): string {
  return renderFields([
    ['id', user.id],
    ['email', `${user.email} (${user.email_verified ? 'verified' : 'not verified'})`],
    ['name', user.name],
    ['roles', user.roles.join(', ')],
    ...attributeFields(user.attributes),
    ['status', statusOf(user)],
    ['created', user.created_at],
    ['last login', user.last_login_at ?? 'never'],
  ])
}

function toRow(user: User): string[] {
  const { id, email, name, roles } = user
  return [id, email, name, roles.join(', '), statusOf(user), user.last_login_at ?? 'never']
}

function statusOf({ disabled, password_set: hasPassword }: User): string {
  if (disabled) return 'disabled'
  return hasPassword === false ? 'no password' : 'active'
}
