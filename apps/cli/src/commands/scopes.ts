import { suggest } from '@olytix/errors'
import { InvalidArgumentError } from 'commander'
import { collectList } from './comma-list.js'

const SCOPES = ['read', 'write', 'admin']

/** `read,write` as scopes. @throws InvalidArgumentError that names the scopes there are */
export function parseScopes(text: string, before?: readonly string[]): readonly string[] {
  const scopes = collectList(text, before)
  const wrong = scopes.find((scope) => !SCOPES.includes(scope))
  if (wrong === undefined) return scopes
  const near = suggest(wrong, SCOPES)
  throw new InvalidArgumentError(
    `There is no scope '${wrong}'; ${near ? `did you mean ${near}?` : `expected ${SCOPES.join(', ')}.`}`,
  )
}
