import type { Command } from 'commander'
import type { Role } from '../api/identity-answers.js'
import { renderFields, renderTable } from '../output/table.js'
import type { CommandContext } from './command-context.js'
import { checkId } from './ids.js'
import { parseScopes } from './scopes.js'

const COLUMNS = ['name', 'scopes', 'kind', 'description']

export function addRoles(program: Command, context: CommandContext): void {
  const roles = program.command('roles').description('what users and keys may do')
  roles
    .command('list')
    .description('list all roles')
    .action(async () => {
      const list = await (await context.api()).roles.list()
      context.answer({ roles: list }, () =>
        renderTable(
          COLUMNS.map((title) => ({ title })),
          list.map((role) => [role.name, scopesOf(role), kindOf(role), role.description ?? '']),
        ),
      )
    })
  addShow(roles, context)
  addSet(roles, context)
  addDelete(roles, context)
}

function addShow(roles: Command, context: CommandContext): void {
  const command = roles.command('show').description('show one role').argument('<name>')
  command.action(async (name: string) => {
    checkId(command, name, '`roles list`')
    const role = await (await context.api()).roles.get(name)
    context.answer(role, () => renderRole(role))
  })
}

interface SetOptions {
  readonly scopes: readonly string[]
  readonly description?: string
}

function addSet(roles: Command, context: CommandContext): void {
  const command = roles
    .command('set')
    .description('make a role, or change it for everybody who has it, at once')
    .argument('<name>')
    .requiredOption('--scopes <scopes>', 'read, write, admin, separated by commas; or none', parse)
    .option('--description <text>', 'what the role is for')
  command.action(async (name: string, options: SetOptions) => {
    checkId(command, name, '`roles list`')
    const role = await (await context.api()).roles.put(name, options)
    context.answer(role, () => `Role Set: ${name} (${scopesOf(role)})\n`)
  })
}

function addDelete(roles: Command, context: CommandContext): void {
  const command = roles.command('delete').description('delete a role').argument('<name>')
  command.action(async (name: string) => {
    checkId(command, name, '`roles list`')
    await (await context.api()).roles.delete(name)
    context.answer({ name, deleted: true }, () => `Role Deleted: ${name}\n`)
  })
}

function parse(text: string, before?: readonly string[]): readonly string[] {
  return text === 'none' ? [] : parseScopes(text, before)
}

function renderRole(role: Role): string {
  return renderFields([
    ['name', role.name],
    ['scopes', scopesOf(role)],
    ['kind', kindOf(role)],
    ['description', role.description ?? ''],
  ])
}

function scopesOf({ scopes }: Role): string {
  return scopes.length === 0 ? 'none' : scopes.join(', ')
}

function kindOf(role: Role): string {
  return role.built_in ? 'built in' : 'custom'
}
