import { type Command, InvalidArgumentError } from 'commander'
import type { IssuedKey } from '../api/answers.js'
import { printable } from '../output/printable.js'
import { type Attributes, collectAttribute } from './attributes.js'
import { collectList } from './comma-list.js'
import type { CommandContext } from './command-context.js'
import { parseExpires } from './expires.js'
import { parseScopes } from './scopes.js'

interface Options {
  readonly name: string
  readonly scopes?: readonly string[]
  readonly expires?: number
  readonly roles?: readonly string[]
  readonly attr?: Attributes
}

export function addCreateKey(auth: Command, context: CommandContext): void {
  auth
    .command('create-key')
    .description('create an API key; it is shown this once')
    .requiredOption('--name <name>', 'what the key is for', parseName)
    .option(
      '--scopes <scopes>',
      'read, write, admin, separated by commas (default: read)',
      parseScopes,
    )
    .option('--expires <days>', 'how long it lives (default: 365d)', parseExpires)
    .option('--roles <roles>', 'roles for row-level policies, separated by commas', collectList)
    .option('--attr <name=value>', 'attribute for row-level policies; repeatable', collectAttribute)
    .action(async (options: Options) => {
      const api = await context.api()
      const issued = await api.createKey({
        name: options.name,
        scopes: options.scopes ?? ['read'],
        expires_in_days: options.expires ?? 365,
        ...(options.roles ? { roles: options.roles } : {}),
        ...(options.attr ? { attributes: options.attr } : {}),
      })
      context.answer(issued, () => renderIssuedKey(issued))
    })
}

function parseName(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('A name is expected.')
  return text
}

/** The block that the product's documentation shows, to the letter. */
function renderIssuedKey({ key, name, expires_at, scopes }: IssuedKey): string {
  return `API Key Created:
Key: ${printable(key)}
Name: ${printable(name)}
Expires: ${new Date(expires_at).toISOString().slice(0, 10)}
Scopes: ${printable(scopes.join(', '))}

⚠ Store this key securely. It won't be shown again.
`
}
