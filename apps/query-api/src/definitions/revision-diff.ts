import { createTwoFilesPatch } from 'diff'
import type { Definition } from '../project/definitions.js'
import { definitionChanges } from './changes.js'

/** More differing lines than these are not matched up: what is left of it is one text out, one text in. */
const MAX_DIFFERENCES = 500

/** How one definition differs between two states. */
export interface DefinitionDiff extends Pick<Definition, 'kind' | 'name'> {
  readonly change: 'created' | 'updated' | 'deleted'
  /** In unified form, with three lines around each difference. */
  readonly text: string
}

/** What differs between two states, definition by definition; those that say the same are left out. */
export function diffOf(
  before: readonly Definition[],
  after: readonly Definition[],
): DefinitionDiff[] {
  const texts = definitionChanges(before, after).map(
    ({ kind, name, change, text, before: old }) => ({
      kind,
      name,
      change,
      before: old ?? '',
      after: change === 'deleted' ? '' : text,
    }),
  )
  return texts
    .filter((each) => each.before !== each.after)
    .map(({ kind, name, change, ...each }) => ({
      kind,
      name,
      change,
      text: unified(`${kind}/${name}`, each.before, each.after),
    }))
}

function unified(path: string, before: string, after: string): string {
  const from = before === '' ? '/dev/null' : `a/${path}`
  const to = after === '' ? '/dev/null' : `b/${path}`
  const options = { context: 3, maxEditLength: MAX_DIFFERENCES }
  const patch = createTwoFilesPatch(from, to, before, after, undefined, undefined, options)
  return patch?.replace(/^=+\n/, '') ?? replaced(from, to, linesOf(before), linesOf(after))
}

function replaced(
  from: string,
  to: string,
  before: readonly string[],
  after: readonly string[],
): string {
  const hunk = `@@ -1,${String(before.length)} +1,${String(after.length)} @@`
  const lines = [...before.map((line) => `-${line}`), ...after.map((line) => `+${line}`)]
  return [`--- ${from}`, `+++ ${to}`, hunk, ...lines, ''].join('\n')
}

function linesOf(text: string): string[] {
  return text.replace(/\n$/, '').split('\n')
}
