import type { Model } from '../project/model.js'
import type { Project, TableName } from '../project/project.js'
import { selectModels, waitsFor } from '../project/select-models.js'
import { type Build, buildTarget } from './materialise.js'
import type { RunStep } from './run-step.js'

/**
 * A step for each model that is selected, after those that it reads. An ephemeral model is built nowhere.
 * @throws AppError INVALID_REQUEST for words of the selection that choose nothing
 */
export function planModels(project: Project, selection: readonly string[]): readonly RunStep[] {
  const built = selectModels(project, selection).flatMap((model) =>
    model.target ? [{ model, target: model.target }] : [],
  )
  const names = new Set(built.map(({ model }) => model.name))
  return built.map(({ model, target }): RunStep => {
    const build = buildOf(project, model, target)
    return {
      name: model.name,
      kind: 'model',
      after: waitsFor(project, model, names),
      tables: model.relation.tables,
      execute: (context) => buildTarget(context, build),
    }
  })
}

function buildOf({ name: project }: Project, model: Model, target: TableName): Build {
  const { name, isStored, select, increment, hooks } = model
  const lineage = { ...model.lineage, tables: model.relation.tables }
  const kind = isStored ? 'table' : 'view'
  return { what: `model ${name}`, project, target, kind, select, increment, lineage, hooks }
}
