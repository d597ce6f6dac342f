import type { Command } from 'commander'
import type { ApiClient } from '../api/api-client.js'
import type { User } from '../api/identity-answers.js'
import { checkId } from './ids.js'

/** The user with this id or e-mail address. Ends the command with a usage error when no address is like it. */
export async function findUser(command: Command, api: ApiClient, text: string): Promise<User> {
  if (!text.includes('@')) {
    checkId(command, text, '`users list`')
    return api.users.get(text)
  }
  const address = text.trim().toLowerCase()
  const found = (await api.users.list()).find(({ email }) => email.toLowerCase() === address)
  return found ?? command.error(`nobody has the address ${text}: \`users list\` shows who there is`)
}
