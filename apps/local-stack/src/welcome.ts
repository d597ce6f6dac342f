import path from 'node:path'
import type { Settings } from './settings.js'
import type { Stack } from './stack.js'

/** What is shown when the stack answers: where it is and what to try. */
export function welcome(
  { root, stateDir }: Settings,
  { description, isKeyAccepted }: Stack,
): string {
  const prefix =
    stateDir === path.join(root, '.olytix') ? '' : `OLYTIX_STATE_DIR=${shellWord(stateDir)} `
  const lines = [
    '',
    `Olytix Core answers at ${description.query_api_url}`,
    '',
    'Try, in another terminal:',
    `  ${prefix}npx olytix-core query monthly_revenue`,
    `  ${prefix}npx olytix-core auth create-key --name "My Application" --expires 365d`,
    '',
    `Logs, secrets and stack.json: ${stateDir}. Stop with Ctrl-C.`,
  ]
  if (!isKeyAccepted) {
    lines.push(
      '',
      `The admin key of ${stateDir} is not accepted: it was revoked, or this database got its admin from another state folder.`,
    )
  }
  return lines.join('\n')
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
