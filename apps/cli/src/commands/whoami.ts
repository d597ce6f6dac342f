import type { Command } from 'commander'
import type { Principal } from '../api/answers.js'
import { renderJson } from '../output/json.js'
import { renderFields } from '../output/table.js'
import type { CommandContext } from './command-context.js'

export function addWhoami(parent: Command, context: CommandContext): void {
  parent
    .command('whoami')
    .description('show whom the server takes you for, and what you may do')
    .action(async () => {
      const me = await (await context.api()).whoAmI()
      context.answer(me, () => renderPrincipal(me))
    })
}

function renderPrincipal(me: Principal): string {
  return renderFields([
    ['id', me.id],
    ['kind', me.kind],
    ['name', me.name],
    ...(me.email ? [['email', me.email] as const] : []),
    ['roles', me.roles.join(', ')],
    ['scopes', me.scopes.join(', ')],
    ...attributeFields(me.attributes),
    ['expires', me.expires_at ?? 'never'],
  ])
}

/** A line for each attribute. */
export function attributeFields(
  attributes: Readonly<Record<string, unknown>>,
): readonly (readonly [name: string, value: string])[] {
  return Object.entries(attributes).map(
    ([name, value]) => [`attribute ${name}`, attributeText(value)] as const,
  )
}

function attributeText(value: unknown): string {
  return typeof value === 'string' ? value : renderJson(value).replace(/\s+/g, ' ').trim()
}
