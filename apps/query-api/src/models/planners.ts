import { planFreshness } from './plan-freshness.js'
import { planModels } from './plan-models.js'
import { planSeeds } from './plan-seeds.js'
import { planTests } from './plan-tests.js'
import type { Planner } from './run-executor.js'
import type { RunKind } from './run-step.js'

/** What each kind of run does. */
export const PLANNERS: Readonly<Record<RunKind, Planner>> = {
  models: planModels,
  seeds: planSeeds,
  tests: planTests,
  freshness: planFreshness,
}
