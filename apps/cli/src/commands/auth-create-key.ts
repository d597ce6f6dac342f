import { type Command, InvalidArgumentError } from 'commander'
import type { IssuedKey } from '../api/identity-answers.js'
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
  readonly allowIp?: readonly string[]
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
    .option('--allow-ip <addresses>', 'addresses or networks it may be used from', collectList)
    .action(async (options: Options) => {
      const api = await context.api()
      const issued = await api.keys.create({
        name: options.name,
        scopes: options.scopes ?? ['read'],
        expires_in_days: options.expires ?? 365,
        ...(options.roles ? { roles: options.roles } : {}),
        ...(options.attr ? { attributes: options.attr } : {}),
        ...(options.allowIp ? { allowed_ips: options.allowIp } : {}),
      })
      context.answer(issued, () => renderIssuedKey('API Key Created', issued))
    })
}

export function parseName(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('A name is expected.')
  return text
}

/** The block that the product's documentation shows, to the letter. */
export function renderIssuedKey(
  title: string,
  { key, name, expires_at, scopes }: IssuedKey,
): string {
  return `${title}:
Key: ${printable(key)}
Name: ${printable(name)}
Expires: ${new Date(expires_at).toISOString().slice(0, 10)}
Scopes: ${printable(scopes.join(', '))}

⚠ Store this key securely. It won't be shown again.
`
}
