import type { Project } from '../project/project.js'
import type { Seed } from '../project/seed.js'
import { choose } from './choose.js'
import { type Build, buildTarget } from './materialise.js'
import type { RunStep } from './run-step.js'

/**
 * A step for each seed that is chosen, by its name. It is built as a model is, from the rows of its file.
 * @throws AppError INVALID_REQUEST for words that choose nothing
 */
export function planSeeds(project: Project, selection: readonly string[]): readonly RunStep[] {
  const all = Object.values(project.seeds)
  const chosen = choose({ what: 'seed', all, wordsOf: ({ name }) => [name] }, selection)
  return chosen.map((seed): RunStep => {
    const build = buildOf(project, seed)
    return {
      name: seed.name,
      kind: 'seed',
      after: [],
      tables: [],
      execute: (context) => buildTarget(context, build),
    }
  })
}

/** Its rows come from no table: whatever protects others does not reach them. */
function buildOf({ name: project }: Project, { name, target, columns, select }: Seed): Build {
  const own = columns.map((column) => ({ name: column.name, from: [] }))
  const lineage = { tables: [], columns: own, stars: [], rest: [], rows: [] }
  return { what: `seed ${name}`, project, target, kind: 'table', select, lineage }
}
