import type { Command } from 'commander'
import { renderIssuedKey } from './auth-create-key.js'
import type { CommandContext } from './command-context.js'
import { parseOverlap } from './durations.js'
import { checkId } from './ids.js'

const ONE_DAY = 86_400

export function addRotateKey(auth: Command, context: CommandContext): void {
  const command = auth
    .command('rotate-key')
    .description('replace an API key by a new one with the same settings; it is shown this once')
    .argument('<id>', 'as list-keys shows it')
    .option('--overlap <time>', 'how long the old key works on: 24h, 30m, 0', parseOverlap, ONE_DAY)
  command.action(async (id: string, { overlap }: { readonly overlap: number }) => {
    checkId(command, id, 'list-keys')
    const issued = await (await context.api()).keys.rotate(id, overlap)
    const next =
      overlap === 0
        ? `The old key, ${id}, is refused from now on.\n`
        : `The old key, ${id}, works until ${untilWhen(overlap)}. Put the new one in its place before.\n`
    context.answer(issued, () => `${renderIssuedKey('API Key Rotated', issued)}\n${next}`)
  })
}

function untilWhen(seconds: number): string {
  return new Date(Date.now() + seconds * 1000).toISOString().replace(/:\d\d\.\d+Z$/, 'Z')
}
