import type { Command } from 'commander'

/**
 * Ends the command with a usage error when `id` cannot be an id. commander's own check would repeat the text, which
 * must not happen to a secret.
 */
export function checkId(command: Command, id: string, listCommand: string): void {
  if (/^(olytix-core_key_|refresh_|ey[A-Za-z0-9_-]+\.)/.test(id)) {
    command.error(
      `a secret must not stand on the command line, where others can see it; give an id: ${listCommand} shows them`,
    )
  }
  if (!/^[A-Za-z0-9_.-]+$/.test(id) || /^\.+$/.test(id)) {
    command.error(`'${id}' is no id: ${listCommand} shows them`)
  }
}
