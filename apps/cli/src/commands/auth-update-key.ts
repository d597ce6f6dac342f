import { type Command, Option } from 'commander'
import type { KeyChange } from '../api/keys-api.js'
import { parseName } from './auth-create-key.js'
import { type Attributes, collectAttribute } from './attributes.js'
import { collectList } from './comma-list.js'
import type { CommandContext } from './command-context.js'
import { isEmpty } from './changes.js'
import { checkId } from './ids.js'
import { parseScopes } from './scopes.js'

/** `--no-roles` gives `false`: none from now on. */
interface Options {
  readonly name?: string
  readonly scopes?: readonly string[]
  readonly roles?: readonly string[] | false
  readonly attr?: Attributes | false
  readonly allowIp?: readonly string[] | false
  readonly disable?: true
  readonly enable?: true
}

export function addUpdateKey(auth: Command, context: CommandContext): void {
  const command = auth
    .command('update-key')
    .description('change an API key; what is given replaces what was there')
    .argument('<id>', 'as list-keys shows it')
    .option('--name <name>', 'what the key is for', parseName)
    .option('--scopes <scopes>', 'read, write, admin, separated by commas', parseScopes)
    .option('--roles <roles>', 'roles for row-level policies, separated by commas', collectList)
    .option('--no-roles', 'no roles of its own')
    .option('--attr <name=value>', 'attribute for row-level policies; repeatable', collectAttribute)
    .option('--no-attr', 'no attributes')
    .option('--allow-ip <addresses>', 'addresses or networks it may be used from', collectList)
    .option('--no-allow-ip', 'from everywhere')
    .addOption(new Option('--disable', 'refuse it until it is enabled').conflicts('enable'))
    .option('--enable', 'accept it again')
  command.action(async (id: string, options: Options) => {
    checkId(command, id, 'list-keys')
    const change = toChange(options)
    if (isEmpty(change)) command.error('there is nothing to change: see --help')
    const key = await (await context.api()).keys.update(id, change)
    context.answer(key, () => `API Key Changed: ${id} (${key.status})\n`)
  })
}

function toChange({ name, scopes, roles, attr, allowIp, disable, enable }: Options): KeyChange {
  return {
    name,
    scopes,
    roles: roles === false ? [] : roles,
    attributes: attr === false ? {} : attr,
    allowed_ips: allowIp === false ? [] : allowIp,
    disabled: disable ?? (enable ? false : undefined),
  }
}
