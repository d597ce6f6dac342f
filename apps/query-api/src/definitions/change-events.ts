import type { Caller } from '../audit/audit-event.js'
import type { ChangeEvent } from '../audit/record-changes.js'
import { type PolicyKind, readPolicy } from '../project/read-policy.js'
import type { DefinitionChange } from './changes.js'

/** Whose change it is, and when. */
interface Made {
  readonly author: Caller | undefined
  readonly revision: number
  readonly at: Date
}

/** The audit events of a revision: one per definition; of a policy what it was and what it is. */
export function changeEvents(changes: readonly DefinitionChange[], made: Made): ChangeEvent[] {
  return changes.map((change) => {
    const { kind, name } = change
    const { author: caller, revision, at } = made
    const event = { at, caller, subject: name, cube: kind === 'cubes' ? name : null }
    if (kind === 'policies' || kind === 'masking') {
      return { ...event, ...policyEvent(kind, change, revision) }
    }
    return {
      ...event,
      type: 'definition_changed',
      data: { kind, name, change: change.change, revision },
    }
  })
}

const POLICY_EVENTS = {
  created: 'policy_created',
  updated: 'policy_updated',
  deleted: 'policy_deleted',
} as const

function policyEvent(
  kind: PolicyKind,
  { name, change, text, before }: DefinitionChange,
  revision: number,
): Pick<ChangeEvent, 'type' | 'cube' | 'data'> {
  const after = change === 'deleted' ? null : text
  return {
    type: POLICY_EVENTS[change],
    cube: readPolicy(kind, text)?.cube ?? null,
    data: { kind, name, revision, before: before ?? null, after },
  }
}
