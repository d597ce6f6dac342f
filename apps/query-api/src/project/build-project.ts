import { deepFreeze, type Secret } from '@olytix/config'
import { AppError, type ErrorDetail } from '@olytix/errors'
import { buildCubes } from './build-cubes.js'
import { buildFreshness } from './build-freshness.js'
import { buildMasking } from './build-masking.js'
import { buildMetrics } from './build-metrics.js'
import { buildPolicies } from './build-policies.js'
import { buildModels, modelNamed } from './build-models.js'
import { buildSeeds } from './build-seeds.js'
import { buildSources, readableFrom } from './build-sources.js'
import { buildTests, type TestInputs } from './build-tests.js'
import { buildTimeSpines, checkSpinesAreOpen } from './build-time-spines.js'
import { type Definition, Edits, modelName, type ProjectFiles } from './definitions.js'
import { Problems } from './problems.js'
import { byName } from './named.js'
import type { Project } from './project.js'
import { readProjectFile } from './project-file.js'
import {
  type Definitions,
  definitionsOf,
  readDefinitions,
  type Shadowed,
} from './read-definitions.js'
import type { Referable } from './seed.js'
import { uniqueTables } from './table-names.js'

type Environment = Readonly<Record<string, string | undefined>>

/** A project with the texts that it was compiled from. */
export interface CompiledProject {
  readonly project: Project
  readonly definitions: readonly Definition[]
  readonly shadowed: readonly Shadowed[]
}

/** The project alone. @see compileProject */
export function buildProject(
  files: ProjectFiles,
  environment: Environment,
  maskingKey?: Secret,
): Project {
  return compileProject(files, environment, maskingKey).project
}

/**
 * Compiles a project, whose SQL parser must have been loaded (`loadModule` of libpg-query).
 * @param environment for `${NAME}` in the project file and in files of sources
 * @param maskingKey of `mask: hash`, which needs one
 * @throws AppError INVALID_PROJECT that names each problem with file, line and column
 */
export function compileProject(
  files: ProjectFiles,
  environment: Environment,
  maskingKey?: Secret,
): CompiledProject {
  const problems = new Problems()
  const { settings, problems: ofSettings } = readProjectFile(files.project, environment)
  problems.found.push(...ofSettings)
  const shapes = readDefinitions(files, environment, problems)
  const sources = buildSources(shapes.sources, problems)
  const seeds = buildSeeds({ files: files.seeds, shapes: shapes.told.seeds, sources }, problems)
  const models = buildModels({ files: shapes.models, project: settings, sources, seeds }, problems)
  const referable = byName<Referable>([...Object.values(seeds), ...Object.values(models)])
  const readable = readableFrom(sources, (name, offset) => modelNamed(referable, name, offset))
  const cubes = buildCubes(shapes.cubes, readable, referable, problems)
  const checks = buildChecks({ files, shapes, readable, referable }, problems)
  const timeSpines = settings ? buildTimeSpines(settings, readable, problems) : []
  const metrics = buildMetrics(shapes.metrics, { cubes, timeSpines }, problems)
  const policies = buildPolicies(shapes.policies, cubes, problems)
  const masking = buildMasking(
    shapes.masking,
    { cubes, policies, hasKey: maskingKey !== undefined },
    problems,
  )
  const rules = [...policies, ...masking]
  if (settings) checkSpinesAreOpen(settings, timeSpines, cubes, { rules, problems })
  if (problems.found.length > 0 || !settings) throw invalidProject(problems.found)
  const { name, version } = settings.shape
  const tables = uniqueTables([
    ...Object.values(cubes).flatMap(({ relation }) => relation.tables),
    ...timeSpines.flatMap((spine) => spine.tables),
  ])
  const parts = { sources, models, seeds, cubes, metrics, policies, masking, timeSpines }
  return {
    project: deepFreeze({ name, version, maskingKey, ...parts, ...checks, tables }),
    definitions: definitionsOf(shapes, new Edits(files.edits)),
    shadowed: shapes.shadowed,
  }
}

function buildChecks(
  {
    files,
    shapes,
    ...names
  }: Pick<TestInputs, 'readable' | 'referable'> & {
    readonly files: ProjectFiles
    readonly shapes: Definitions
  },
  problems: Problems,
): Pick<Project, 'tests' | 'freshness'> {
  const { told, sources, models } = shapes
  const modelNames = models.map(({ path }) => modelName(path))
  const tests = buildTests({ files: files.tests, sources, told, modelNames, ...names }, problems)
  return { tests, freshness: buildFreshness(sources, problems) }
}

function invalidProject(details: readonly ErrorDetail[]): AppError {
  const [first] = details
  const more = details.length > 1 ? ` (and ${String(details.length - 1)} more)` : ''
  const where = first ? `${first.path}:${String(first.line)}:${String(first.column)}: ` : ''
  return new AppError(
    'INVALID_PROJECT',
    `${where}${first?.message ?? 'The project does not compile'}${more}`,
    { details },
  )
}
