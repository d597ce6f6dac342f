import type { Definition } from '../project/definitions.js'

/** What a revision does to one definition; text and path are those before it when it is deleted. */
export interface DefinitionChange extends Definition {
  readonly change: 'created' | 'updated' | 'deleted'
  /** Its text before; `undefined` when it is new. */
  readonly before: string | undefined
}

/** What differs between two states of the definitions. */
export function definitionChanges(
  before: readonly Definition[],
  after: readonly Definition[],
): DefinitionChange[] {
  const old = new Map(before.map((each) => [keyOf(each), each]))
  const present = new Set(after.map(keyOf))
  const changed = after.flatMap((each): DefinitionChange[] => {
    const known = old.get(keyOf(each))
    if (known?.text === each.text && known.isEdited === each.isEdited) return []
    return [{ ...each, change: known ? 'updated' : 'created', before: known?.text }]
  })
  const deleted = before
    .filter((each) => !present.has(keyOf(each)))
    .map((each): DefinitionChange => ({ ...each, change: 'deleted', before: each.text }))
  return [...changed, ...deleted]
}

function keyOf({ kind, name }: Definition): string {
  return `${kind}/${name}`
}
