import type { Command } from 'commander'
import type { SigningKey } from '../api/identity-answers.js'
import { renderTable } from '../output/table.js'
import type { CommandContext } from './command-context.js'
import { checkId } from './ids.js'

const COLUMNS = ['id', 'algorithm', 'state', 'made', 'active since', 'retired', 'revoked']

export function addSigningKeys(auth: Command, context: CommandContext): void {
  const group = auth
    .command('signing-keys')
    .description('the keys that sign access and refresh tokens: list them, or')
    .action(async () => {
      const keys = await (await context.api()).security.listSigningKeys()
      context.answer({ signing_keys: keys }, () =>
        renderTable(
          COLUMNS.map((title) => ({ title })),
          keys.map(toRow),
        ),
      )
    })
  group
    .command('rotate')
    .description('sign with the next key from now on; nobody is signed out')
    .action(async () => {
      const key = await (await context.api()).security.rotateSigningKey()
      context.answer(key, () => `Signing Key Rotated: ${key.id} signs from now on\n`)
    })
  const revoke = group
    .command('revoke')
    .description('refuse every token that a signing key has signed, at once')
    .argument('<id>', 'as signing-keys shows it')
  revoke.action(async (id: string) => {
    checkId(revoke, id, 'signing-keys')
    await (await context.api()).security.revokeSigningKey(id)
    context.answer(
      { id, revoked: true },
      () => `Signing Key Revoked: ${id}\nEvery token that it signed is refused from now on.\n`,
    )
  })
}

function toRow(key: SigningKey): string[] {
  return [
    key.id,
    key.algorithm,
    key.state,
    key.created_at,
    key.activated_at ?? '',
    key.retired_at ?? '',
    key.revoked_at ?? '',
  ]
}
