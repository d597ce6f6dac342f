import { deepFreeze, Secret } from '@olytix/config'
import { type ProjectFile, YamlFile } from '@olytix/config/yaml'
import { AppError, type ErrorDetail } from '@olytix/errors'
import type { z } from 'zod'
import { buildCubes } from './build-cubes.js'
import { buildMasking } from './build-masking.js'
import { buildMetrics } from './build-metrics.js'
import { buildPolicies } from './build-policies.js'
import { buildModels, modelNamed } from './build-models.js'
import { buildSources, readableFrom } from './build-sources.js'
import {
  cubesShape,
  metricsShape,
  policiesShape,
  projectShape,
  type ProjectShape,
  sourcesShape,
} from './definition-schemas.js'
import { buildTimeSpines, checkSpinesAreOpen } from './build-time-spines.js'
import { type Defined, part, Problems } from './problems.js'
import type { Project } from './project.js'
import { uniqueTables } from './select.js'

/** The files of a project folder, each with its path relative to the folder. */
export interface ProjectFiles {
  readonly project: ProjectFile
  readonly sources: readonly ProjectFile[]
  readonly models: readonly ProjectFile[]
  readonly cubes: readonly ProjectFile[]
  readonly metrics: readonly ProjectFile[]
  readonly policies: readonly ProjectFile[]
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Compiles a project, whose SQL parser must have been loaded (`loadModule` of libpg-query).
 * @param environment for `${NAME}` in the project file and in sources
 * @param maskingKey of `mask: hash`, which needs one
 * @throws AppError INVALID_PROJECT that names each problem with file, line and column
 */
export function buildProject(
  files: ProjectFiles,
  environment: Environment,
  maskingKey?: Secret,
): Project {
  const problems = new Problems()
  const settings = readProjectFile(files.project, environment, problems)
  const shapes = readDefinitions(files, environment, problems)
  const sources = buildSources(shapes.sources, problems)
  const models = buildModels({ files: files.models, project: settings, sources }, problems)
  const readable = readableFrom(sources, (name, offset) => modelNamed(models, name, offset))
  const cubes = buildCubes(shapes.cubes, readable, models, problems)
  const timeSpines = settings ? buildTimeSpines(settings, readable, problems) : []
  const metrics = buildMetrics(shapes.metrics, { cubes, timeSpines }, problems)
  const policies = buildPolicies(
    partsOf(shapes.policies, 'policies', (content) => content.policies),
    cubes,
    problems,
  )
  const masking = buildMasking(
    partsOf(shapes.policies, 'masking', (content) => content.masking),
    { cubes, hasKey: maskingKey !== undefined },
    problems,
  )
  const rules = [...policies, ...masking]
  if (settings) checkSpinesAreOpen(settings, timeSpines, cubes, { rules, problems })
  if (problems.found.length > 0 || !settings) throw invalidProject(problems.found)
  const { name, version, warehouse } = settings.shape
  const warehouseUrl = urlOf(warehouse)
  const tables = uniqueTables([
    ...Object.values(cubes).flatMap(({ relation }) => relation.tables),
    ...timeSpines.flatMap((spine) => spine.tables),
  ])
  const definitions = { sources, models, cubes, metrics, policies, masking, timeSpines }
  return deepFreeze({ name, version, warehouseUrl, maskingKey, ...definitions, tables })
}

/** The definitions of all files in their shapes. */
function readDefinitions(files: ProjectFiles, environment: Environment, problems: Problems) {
  return {
    sources: readAll(files.sources, problems, (file) => {
      file.interpolate(environment)
      return entries(file, sourcesShape, 'sources', ({ sources }) => sources)
    }),
    cubes: readAll(files.cubes, problems, (file) =>
      entries(file, cubesShape, 'cubes', ({ cubes }) => cubes),
    ),
    metrics: readAll(files.metrics, problems, (file) =>
      entries(file, metricsShape, 'metrics', ({ metrics }) => metrics),
    ),
    policies: readAll(files.policies, problems, (file) => {
      const content = file.read(policiesShape)
      return content ? [{ shape: content, file, path: [] }] : []
    }),
  }
}

function readProjectFile(
  file: ProjectFile,
  environment: Environment,
  problems: Problems,
): Defined<ProjectShape> | undefined {
  const yaml = new YamlFile(file)
  // The providers under `security` and their secrets are identity's alone.
  yaml.interpolate(environment, ['security'])
  const settings = yaml.read(projectShape)
  problems.found.push(...yaml.problems)
  return settings && { shape: settings, file: yaml, path: [] }
}

function readAll<T>(
  files: readonly ProjectFile[],
  problems: Problems,
  read: (file: YamlFile) => readonly Defined<T>[],
): Defined<T>[] {
  return files.flatMap((file) => {
    const yaml = new YamlFile(file)
    const found = read(yaml)
    problems.found.push(...yaml.problems)
    return found
  })
}

function entries<C, T>(
  file: YamlFile,
  shape: z.ZodType<C>,
  key: string,
  pick: (content: C) => readonly T[],
): Defined<T>[] {
  const content = file.read(shape)
  return content ? pick(content).map((each, at) => ({ shape: each, file, path: [key, at] })) : []
}

/** The definitions in a list of each file. */
function partsOf<C, T>(
  files: readonly Defined<C>[],
  key: string,
  pick: (content: C) => readonly T[],
): Defined<T>[] {
  return files.flatMap((file) => pick(file.shape).map((each, at) => part(file, [key, at], each)))
}

function urlOf(warehouse: ProjectShape['warehouse']): Secret | undefined {
  if (warehouse?.url !== undefined) return new Secret(warehouse.url)
  if (warehouse?.host === undefined) return undefined
  const url = new URL(`postgres://${warehouse.host}`)
  url.port = String(warehouse.port ?? 5432)
  url.username = encodeURIComponent(warehouse.user ?? '')
  url.password = encodeURIComponent(warehouse.password ?? '')
  url.pathname = `/${encodeURIComponent(warehouse.database ?? '')}`
  if (warehouse.sslmode) url.searchParams.set('sslmode', warehouse.sslmode)
  return new Secret(url.href)
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
