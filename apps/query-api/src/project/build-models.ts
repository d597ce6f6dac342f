import { problemAt, type ProjectFile, quote } from '@olytix/config/yaml'
import { suggest } from '@olytix/errors'
import type { ProjectShape } from './definition-schemas.js'
import { isEnabled, readFolderSettings } from './model-settings.js'
import { modelName } from './definitions.js'
import type { Defined, Problems } from './problems.js'
import { type Model, type Named, named, type Relation, type Source } from './project.js'
import { readableFrom } from './build-sources.js'
import { parseRelation, type Readable, type TemplateContext } from './select.js'
import { SqlProblem } from './sql-tree.js'
import { renderTemplate, type TemplateCall } from './template.js'

/** What models are built from. */
interface ModelInputs {
  readonly files: readonly ProjectFile[]
  readonly project: Defined<ProjectShape> | undefined
  readonly sources: Named<Source>
}

/** Models by name. Those with problems are left out of the result, which is used only when there are none. */
export function buildModels(inputs: ModelInputs, problems: Problems): Named<Model> {
  const builder = new ModelBuilder(inputs, problems)
  for (const name of builder.names) builder.build(name, [])
  return named([...builder.built].flatMap(([name, model]) => (model ? [[name, model]] : [])))
}

/** @throws SqlProblem when there is no such model */
export function modelNamed(models: Named<Model>, name: string, offset: number): Relation {
  const model = models[name]
  if (model) return model.relation
  throw new SqlProblem(`unknown model ${quote(name)}`, offset, suggest(name, Object.keys(models)))
}

interface ModelFile {
  readonly name: string
  readonly file: ProjectFile
  /** `undefined` when its settings cannot be read. */
  readonly isEnabled: boolean | undefined
}

class ModelBuilder {
  private readonly files = new Map<string, ModelFile>()
  readonly built = new Map<string, Model | undefined>()

  constructor(
    private readonly inputs: ModelInputs,
    private readonly problems: Problems,
  ) {
    const { project } = inputs
    const folders = project ? readFolderSettings(project, problems) : []
    for (const file of inputs.files) {
      const name = modelName(file.path)
      const other = this.files.get(name)
      const enabled = this.reporting(file, () => {
        if (other) throw new SqlProblem(`model ${quote(name)} is ${other.file.path} already`, 0)
        if (!MODEL_NAME.test(name)) {
          throw new SqlProblem('a model is named in letters, digits and _, at most 63 long', 0)
        }
        return isEnabled(file.path, folders, configsOf(file.text))
      })
      if (!other) this.files.set(name, { name, file, isEnabled: enabled })
    }
  }

  /** Of the models that are enabled, and of those whose settings cannot be read. */
  get names(): string[] {
    return [...this.files.values()].flatMap((model) =>
      model.isEnabled === false ? [] : [model.name],
    )
  }

  build(name: string, inProgress: readonly string[]): Model | undefined {
    const model = this.files.get(name)
    if (!model?.isEnabled || this.built.has(name)) return this.built.get(name)
    const readable = this.readable([...inProgress, name])
    const built = this.reporting(model.file, () => ({
      name,
      relation: parseRelation(model.file.text, readable, this.context()),
    }))
    this.built.set(name, built)
    return built
  }

  /** A view is made anew whenever it is read, so it is never incremental. */
  private context(): TemplateContext {
    return {
      isIncremental: false,
      other: (call) => {
        if (call.name === 'config') return ''
        if (call.name !== 'var') return undefined
        return variable(call, this.inputs.project?.shape.vars ?? {})
      },
    }
  }

  private readable(inProgress: readonly string[]): Readable {
    return readableFrom(this.inputs.sources, (name, offset) => {
      const circle = inProgress.indexOf(name)
      if (circle >= 0) {
        const way = [...inProgress.slice(circle), name].join(' → ')
        throw new SqlProblem(`model ${quote(name)} would read itself: ${way}`, offset)
      }
      if (this.files.get(name)?.isEnabled === false) {
        throw new SqlProblem(`model ${quote(name)} is not enabled`, offset)
      }
      const model = this.build(name, inProgress)
      if (model) return model.relation
      throw new SqlProblem(`unknown model ${quote(name)}`, offset, suggest(name, this.names))
    })
  }

  private reporting<T>(file: ProjectFile, work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof SqlProblem)) throw error
      const place = placeIn(file, error.offset)
      this.problems.found.push(problemAt(place, error.message, error.suggestion))
      return undefined
    }
  }
}

const MODEL_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/

/** Settings are needed before anything that a model reads is known. */
function configsOf(text: string): TemplateCall[] {
  const configs: TemplateCall[] = []
  renderTemplate(text, {
    isIncremental: false,
    call: (call) => {
      if (call.name === 'config') configs.push(call)
      return ''
    },
  })
  return configs
}

function variable(
  { values = [], named: keys, offset }: TemplateCall,
  variables: Readonly<Record<string, string | number | boolean>>,
): string {
  const [name, fallback] = values
  if (typeof name !== 'string' || values.length > 2 || keys.size > 0 || Array.isArray(fallback)) {
    throw new SqlProblem("expected var('name') or var('name', default)", offset)
  }
  const value = Object.hasOwn(variables, name) ? variables[name] : fallback
  if (value !== undefined) return String(value)
  const hint = suggest(name, Object.keys(variables))
  throw new SqlProblem(`unknown variable ${quote(name)}; set it under vars:`, offset, hint)
}

function placeIn({ path, text }: ProjectFile, offset: number) {
  const before = text.slice(0, offset).split('\n')
  return { file: path, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}
