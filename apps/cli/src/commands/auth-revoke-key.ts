import type { Command } from 'commander'
import type { CommandContext } from './command-context.js'

export function addRevokeKey(auth: Command, context: CommandContext): void {
  const command = auth
    .command('revoke-key')
    .description('revoke an API key for good, by its id or, on standard input, by the key itself')
    .argument('[id]', 'as list-keys shows it; without it the key is read from standard input')
  command.action(async (id: string | undefined) => {
    if (id === undefined) return revokePresented(command, context)
    if (id.startsWith('olytix-core_key_')) {
      command.error(
        'a key is a secret and must not stand on the command line, where others can see it; give its id, or the key on standard input',
      )
    }
    if (!/^[A-Za-z0-9_-]+$/.test(id)) command.error(`'${id}' is no key id: list-keys shows them`)
    await (await context.api()).revokeKey(id)
    context.answer({ id, revoked: true }, () => `API Key Revoked: ${id}\n`)
  })
}

async function revokePresented(command: Command, context: CommandContext): Promise<void> {
  const api = await context.api()
  const key = await context.readSecret('Key to revoke: ')
  if (key === '') command.error('there is no key on standard input')
  await api.revokePresentedKey(key)
  context.answer({ revoked: true }, () => 'API Key Revoked\n')
}
