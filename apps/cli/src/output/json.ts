import { stringify } from 'lossless-json'

/** A value as indented JSON with every digit its numbers came with, ended by a newline. */
export function renderJson(value: unknown): string {
  return `${stringify(value, undefined, 2) ?? 'null'}\n`
}
