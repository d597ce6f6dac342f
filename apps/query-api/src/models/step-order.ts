import type { StepOutcome } from './run.js'
import type { RunStep } from './run-step.js'
import { skipped } from './outcome.js'

type Outcome = StepOutcome['status']

/**
 * Works on steps as soon as all that they wait for have succeeded, so many at the same time. A step behind one that
 * did not succeed is passed to `work` as skipped.
 * @param done steps that have ended before
 * @throws the first error of `work`, after all that run have ended; nothing is begun after it
 */
export async function inOrder(
  steps: readonly RunStep[],
  done: ReadonlyMap<string, Outcome>,
  limit: number,
  work: (step: RunStep, known: StepOutcome | undefined) => Promise<Outcome>,
): Promise<boolean> {
  const outcomes = new Map<string, Promise<Outcome>>()
  const byName = new Map(steps.map((step) => [step.name, step]))
  const take = turns(limit)
  const outcomeOf = (name: string): Promise<Outcome> => {
    const known = outcomes.get(name) ?? begin(name)
    outcomes.set(name, known)
    return known
  }
  const begin = async (name: string): Promise<Outcome> => {
    const step = byName.get(name)
    const before = done.get(name)
    if (before !== undefined || !step) return before ?? 'succeeded'
    const results = await Promise.all(step.after.map(outcomeOf))
    const blocked = step.after.find((_, index) => results[index] !== 'succeeded')
    if (blocked === undefined) return take(() => work(step, undefined))
    return work(step, skipped(`${blocked} did not succeed`))
  }
  const settled = await Promise.allSettled(steps.map(({ name }) => outcomeOf(name)))
  const broken = settled.find((each) => each.status === 'rejected')
  if (broken) throw broken.reason
  return settled.every((each) => each.status === 'fulfilled' && each.value === 'succeeded')
}

/** Lets so many run at a time; after one has thrown nothing else begins. */
function turns(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let free = limit
  let failure: { readonly reason: unknown } | undefined
  return async (work) => {
    if (free > 0) free -= 1
    else await new Promise<void>((go) => waiting.push(go))
    try {
      if (failure) throw failure.reason
      return await work()
    } catch (reason) {
      failure ??= { reason }
      throw reason
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free += 1
    }
  }
}
