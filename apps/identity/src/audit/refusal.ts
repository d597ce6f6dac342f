/** Why a call was refused after the guard had let it in, as the audit trail keeps it. */
export interface MarkedRefusal {
  /** One of a closed list: `expired_state`, `domain_not_allowed` … */
  readonly reason: string
  /** What else is known; never a secret. */
  readonly data: Readonly<Record<string, unknown>>
}

const refusals = new WeakMap<object, MarkedRefusal>()

/** Marks an error, or an answer that tells of one, so that the refusal is recorded with the call. @returns the same */
export function markRefusal<T extends object>(outcome: T, refusal: MarkedRefusal): T {
  refusals.set(outcome, refusal)
  return outcome
}

/** How an error or an answer was marked, if it was. */
export function refusalOf(outcome: unknown): MarkedRefusal | undefined {
  return typeof outcome === 'object' && outcome !== null ? refusals.get(outcome) : undefined
}
