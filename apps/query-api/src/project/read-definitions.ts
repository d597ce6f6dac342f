import { type ProjectFile, YamlFile } from '@olytix/config/yaml'
import type { z } from 'zod'
import {
  type CubeShape,
  cubeShape,
  cubesShape,
  type MaskingShape,
  maskingShape,
  type MetricShape,
  metricShape,
  metricsShape,
  policiesShape,
  type PolicyShape,
  policyShape,
  type SourceShape,
  sourceShape,
  sourcesShape,
} from './definition-schemas.js'
import {
  type Definition,
  type DefinitionKind,
  Edits,
  modelName,
  type ProjectFiles,
} from './definitions.js'
import { type Defined, part, type Problems } from './problems.js'
import { type ModelShape, modelsShape, type SeedShape, seedsShape } from './property-shapes.js'

type Environment = Readonly<Record<string, string | undefined>>

/** The definitions of a project in their shapes, before names and SQL are looked at. */
export interface Definitions {
  readonly sources: readonly Defined<SourceShape>[]
  readonly models: readonly ProjectFile[]
  readonly cubes: readonly Defined<CubeShape>[]
  readonly metrics: readonly Defined<MetricShape>[]
  readonly policies: readonly Defined<PolicyShape>[]
  readonly masking: readonly Defined<MaskingShape>[]
  /** What YAML files beside models and seeds say of them. */
  readonly told: {
    readonly models: readonly Defined<ModelShape>[]
    readonly seeds: readonly Defined<SeedShape>[]
  }
  /** Of files, that edits stand in place of. */
  readonly shadowed: readonly Shadowed[]
}

/** A definition of a file that does not count: it was edited since. */
export interface Shadowed {
  readonly kind: DefinitionKind
  readonly name: string
  readonly path: string
}

/**
 * Reads all files, and in place of what was edited since, the edits.
 * @param environment for `${NAME}` in files of sources; in edits it stays as it is, for they come from callers
 */
export function readDefinitions(
  files: ProjectFiles,
  environment: Environment,
  problems: Problems,
): Definitions {
  const edits = new Edits(files.edits)
  const edited = { edits, problems }
  const inFiles = readAllFiles(files, environment, problems)
  return {
    sources: withEdits('sources', inFiles.sources, sourceShape, edited),
    models: edits.models(files.models.filter(isSql)),
    cubes: withEdits('cubes', inFiles.cubes, cubeShape, edited),
    metrics: withEdits('metrics', inFiles.metrics, metricShape, edited),
    policies: withEdits('policies', inFiles.policies, policyShape, edited),
    masking: withEdits('masking', inFiles.masking, maskingShape, edited),
    told: inFiles.told,
    shadowed: shadowedBy(edits, files, inFiles),
  }
}

function readAllFiles(files: ProjectFiles, environment: Environment, problems: Problems) {
  const sources = readFiles(files.sources, sourcesShape, problems, environment)
  const cubes = readFiles(files.cubes, cubesShape, problems)
  const metrics = readFiles(files.metrics, metricsShape, problems)
  const rules = readFiles(files.policies, policiesShape, problems)
  const models = readFiles(yamlFiles(files.models), modelsShape, problems)
  const seeds = readFiles(yamlFiles(files.seeds), seedsShape, problems)
  return {
    sources: partsOf(sources, 'sources', (content) => content.sources),
    cubes: partsOf(cubes, 'cubes', (content) => content.cubes),
    metrics: partsOf(metrics, 'metrics', (content) => content.metrics),
    policies: partsOf(rules, 'policies', (content) => content.policies),
    masking: partsOf(rules, 'masking', (content) => content.masking),
    told: {
      models: partsOf(models, 'models', (content) => content.models),
      seeds: partsOf(seeds, 'seeds', (content) => content.seeds),
    },
  }
}

function isSql({ path }: ProjectFile): boolean {
  return path.endsWith('.sql')
}

/** Those beside the files that they tell of. */
function yamlFiles(files: readonly ProjectFile[] = []): ProjectFile[] {
  return files.filter(({ path }) => /\.ya?ml$/.test(path))
}

function shadowedBy(
  edits: Edits,
  { models }: ProjectFiles,
  inFiles: ReturnType<typeof readAllFiles>,
): Shadowed[] {
  const inYaml = YAML_KINDS.flatMap((kind) =>
    inFiles[kind].map(({ shape: { name }, file }) => ({ kind, name, path: file.placeOf([]).file })),
  )
  const all = [
    ...models
      .filter(isSql)
      .map(({ path }) => ({ kind: 'models' as const, name: modelName(path), path })),
    ...inYaml,
  ]
  return all.filter(({ kind, name }) => edits.has(kind, name))
}

/** The definitions as their authors wrote them. */
export function definitionsOf(all: Definitions, edits: Edits): Definition[] {
  const { models, ...inYaml } = all
  const sql = models.map(({ path, text }): Definition => {
    const name = modelName(path)
    return { kind: 'models', name, text, path, isEdited: edits.has('models', name) }
  })
  const yaml = YAML_KINDS.flatMap((kind) =>
    inYaml[kind].map(({ shape: { name }, file, path }): Definition => {
      const text = file.textAt(path)
      return { kind, name, text, path: file.placeOf([]).file, isEdited: edits.has(kind, name) }
    }),
  )
  return [...sql, ...yaml]
}

const YAML_KINDS = ['sources', 'cubes', 'metrics', 'policies', 'masking'] as const

function readFiles<T>(
  files: readonly ProjectFile[],
  shape: z.ZodType<T>,
  problems: Problems,
  environment?: Environment,
): Defined<T>[] {
  return files.flatMap((each) => {
    const file = new YamlFile(each)
    if (environment) file.interpolate(environment)
    const content = file.read(shape)
    problems.found.push(...file.problems)
    return content === undefined ? [] : [{ shape: content, file, path: [] }]
  })
}

/** The definitions in a list of each file. */
function partsOf<C, T>(
  files: readonly Defined<C>[],
  key: string,
  pick: (content: C) => readonly T[],
): Defined<T>[] {
  return files.flatMap((file) => pick(file.shape).map((each, at) => part(file, [key, at], each)))
}

function withEdits<T extends { readonly name: string }>(
  kind: DefinitionKind,
  inFiles: readonly Defined<T>[],
  shape: z.ZodType<T>,
  { edits, problems }: { readonly edits: Edits; readonly problems: Problems },
): Defined<T>[] {
  const kept = inFiles.filter((each) => !edits.has(kind, each.shape.name))
  const edited = edits.texts(kind).flatMap((edit) => {
    const [definition] = readFiles([edit], shape, problems)
    if (!definition) return []
    if (definition.shape.name !== edit.name) {
      problems.on(definition, ['name'], `expected the name ${edit.name}`)
    }
    return [definition]
  })
  return [...kept, ...edited]
}
