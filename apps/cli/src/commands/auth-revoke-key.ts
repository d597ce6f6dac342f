import type { Command } from 'commander'
import { printable } from '../output/printable.js'
import type { CommandContext } from './command-context.js'
import { checkId } from './ids.js'
import { findUser } from './users-find.js'

export function addRevokeKey(auth: Command, context: CommandContext): void {
  const command = auth
    .command('revoke-key')
    .description('revoke an API key for good, by its id or, on standard input, by the key itself')
    .argument('[id]', 'as list-keys shows it; without it the key is read from standard input')
    .option('--owner <user>', 'revoke every key that this user made, by id or e-mail address')
  command.action(async (id: string | undefined, { owner }: { readonly owner?: string }) => {
    if (owner !== undefined) {
      if (id !== undefined) command.error('give an id or --owner, not both')
      return revokeOfOwner(command, context, owner)
    }
    if (id === undefined) return revokePresented(command, context)
    if (id.startsWith('olytix-core_key_')) {
      command.error(
        'a key is a secret and must not stand on the command line, where others can see it; give its id, or the key on standard input',
      )
    }
    checkId(command, id, 'list-keys')
    await (await context.api()).keys.revoke(id)
    context.answer({ id, revoked: true }, () => `API Key Revoked: ${id}\n`)
  })
}

async function revokePresented(command: Command, context: CommandContext): Promise<void> {
  const api = await context.api()
  const key = await context.readSecret('Key to revoke: ')
  if (key === '') command.error('there is no key on standard input')
  await api.keys.revokePresented(key)
  context.answer({ revoked: true }, () => 'API Key Revoked\n')
}

async function revokeOfOwner(
  command: Command,
  context: CommandContext,
  owner: string,
): Promise<void> {
  const api = await context.api()
  const { id, email } = await findUser(command, api, owner)
  const revoked = await api.keys.revokeOfOwner(id)
  context.answer(
    { owner_id: id, revoked },
    () => `API Keys Revoked: ${String(revoked)} of ${printable(email)} (${id})\n`,
  )
}
