import { type ProjectFile, quote } from '@olytix/config/yaml'
import { suggest } from '@olytix/errors'
import type { ProjectShape } from './definition-schemas.js'
import { type ModelSettings, readFolderSettings, settingsOf } from './model-settings.js'
import { modelName } from './definitions.js'
import type { Defined, Problems } from './problems.js'
import type { Increment, Model } from './model.js'
import { type Named, named } from './named.js'
import type { Lineage, Relation, Source, TableName } from './project.js'
import { readableFrom } from './build-sources.js'
import { lineageOfTable, unitedLineage } from './column-lineage.js'
import { type CheckedSelect, checkSelect, type Readable, type TemplateContext } from './select.js'
import type { Referable, Seed } from './seed.js'
import { SqlProblem } from './sql-tree.js'
import { quotedTable, uniqueTables } from './table-names.js'
import { renderTemplate, type TemplateCall } from './template.js'

/** What models are built from. */
interface ModelInputs {
  readonly files: readonly ProjectFile[]
  readonly project: Defined<ProjectShape> | undefined
  readonly sources: Named<Source>
  readonly seeds: Named<Seed>
}

/** Models by name. Those with problems are left out of the result, which is used only when there are none. */
export function buildModels(inputs: ModelInputs, problems: Problems): Named<Model> {
  const builder = new ModelBuilder(inputs, problems)
  for (const name of builder.names) builder.build(name, [])
  return named([...builder.built].flatMap(([name, model]) => (model ? [[name, model]] : [])))
}

/** @throws SqlProblem when there is no such model or seed */
export function modelNamed(models: Named<Referable>, name: string, offset: number): Relation {
  const model = models[name]
  if (model) return model.relation
  throw new SqlProblem(`unknown model ${quote(name)}`, offset, suggest(name, Object.keys(models)))
}

interface ModelFile {
  readonly name: string
  readonly file: ProjectFile
  /** `undefined` when they cannot be read. */
  readonly settings: ModelSettings | undefined
}

class ModelBuilder {
  private readonly files = new Map<string, ModelFile>()
  /** By the name of a table: the model that is kept there. */
  private readonly targets = new Map<string, string>()
  readonly built = new Map<string, Model | undefined>()

  constructor(
    private readonly inputs: ModelInputs,
    private readonly problems: Problems,
  ) {
    const { project, seeds } = inputs
    for (const { name, target } of Object.values(seeds)) {
      this.targets.set(`${target.schema}.${target.table}`, `seed ${quote(name)}`)
    }
    const folders = project ? readFolderSettings(project, problems) : []
    for (const file of inputs.files) {
      const name = modelName(file.path)
      const other = this.files.get(name)
      const settings = problems.inFile(file, () => {
        const same = other?.file.path ?? seeds[name]?.path
        if (same !== undefined) throw new SqlProblem(`model ${quote(name)} is ${same} already`, 0)
        if (!MODEL_NAME.test(name)) {
          throw new SqlProblem('a model is named in letters, digits and _, at most 63 long', 0)
        }
        return settingsOf({ name, path: file.path }, folders, configsOf(file.text))
      })
      if (!other) this.files.set(name, { name, file, settings })
    }
  }

  /** Of the models that are enabled, and of those whose settings cannot be read. */
  get names(): string[] {
    return [...this.files.values()].flatMap(({ name, settings }) =>
      settings?.isEnabled === false ? [] : [name],
    )
  }

  build(name: string, inProgress: readonly string[]): Model | undefined {
    const { file, settings } = this.files.get(name) ?? {}
    if (!file || !settings?.isEnabled || this.built.has(name)) return this.built.get(name)
    const readable = this.readable([...inProgress, name])
    const built = this.problems.inFile(file, () => this.check({ name, file, settings }, readable))
    this.built.set(name, built)
    return built
  }

  private check(
    { name, file, settings }: Required<ModelFile> & { readonly settings: ModelSettings },
    readable: Readable,
  ): Model {
    const { materialized, schema, alias, tags, hooks } = settings
    const target = materialized === 'ephemeral' ? undefined : { schema, table: alias }
    if (target) this.claim(target, name)
    const full = checkSelect(file.text, readable, this.context(undefined))
    const added =
      target && materialized === 'incremental'
        ? checkSelect(file.text, readable, this.context(target))
        : undefined
    const builds = added ? [full, added] : [full]
    const lineage = unitedLineage(builds.map(({ relation }) => relation.lineage))
    const stored = materialized === 'table' || added ? target : undefined
    return {
      name,
      path: file.path,
      materialized,
      target,
      isStored: stored !== undefined,
      relation: stored ? storedRelation(stored, builds, lineage) : full.relation,
      select: full.select,
      increment: added && incrementOf(added, settings),
      lineage,
      oneStep: unitedLineage(builds.map(({ oneStep }) => oneStep)),
      tags,
      hooks,
      reads: full.reads,
    }
  }

  private claim({ schema, table }: TableName, name: string): void {
    const key = `${schema}.${table}`
    const declared = Object.values(this.inputs.sources).some(({ tables }) =>
      Object.values(tables).some((each) => each.schema === schema && each.table === table),
    )
    if (declared) throw new SqlProblem(`would be kept in ${key}, which is a source`, 0)
    const other = this.targets.get(key)
    if (other !== undefined) {
      throw new SqlProblem(`would be kept in ${key}, as ${other} is`, 0)
    }
    this.targets.set(key, `model ${quote(name)}`)
  }

  /** @param incremental where the rows are that an increment adds to; `undefined` for all rows anew */
  private context(incremental: TableName | undefined): TemplateContext {
    return {
      isIncremental: incremental !== undefined,
      other: (call) => {
        if (call.name === 'config') return ''
        if (call.name === 'var') return variable(call, this.inputs.project?.shape.vars ?? {})
        if (call.name !== 'this' || call.values) return undefined
        if (!incremental) {
          const message = '{{ this }} is there only inside {% if is_incremental() %}'
          throw new SqlProblem(message, call.offset)
        }
        const relation = tableAsRelation(incremental, undefined)
        return { name: incremental.table, of: { table: incremental }, relation }
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
      if (this.files.get(name)?.settings?.isEnabled === false) {
        throw new SqlProblem(`model ${quote(name)} is not enabled`, offset)
      }
      const model = this.build(name, inProgress) ?? this.inputs.seeds[name]
      if (model) return model.relation
      const known = [...this.names, ...Object.keys(this.inputs.seeds)]
      throw new SqlProblem(`unknown model ${quote(name)}`, offset, suggest(name, known))
    })
  }
}

/** What is read from where it is kept, and comes from what any build of it reads. */
function storedRelation(
  target: TableName,
  selects: readonly CheckedSelect[],
  lineage: Lineage,
): Relation {
  const columns = selects[0]?.relation.columns
  const own = tableAsRelation(target, columns)
  const behind = selects.flatMap(({ relation }) => relation.tables)
  return {
    ...own,
    tables: uniqueTables([target, ...behind]),
    lineage: unitedLineage([own.lineage, lineage]),
    builds: [...new Set(selects.flatMap(({ select, relation }) => [select, ...relation.builds]))],
  }
}

function tableAsRelation(table: TableName, columns: readonly string[] | undefined): Relation {
  return {
    text: quotedTable(table),
    tables: [table],
    isOpaque: false,
    lineage: lineageOfTable(table, columns),
    builds: [],
    columns,
  }
}

function incrementOf({ select }: CheckedSelect, settings: ModelSettings): Increment {
  return { select, strategy: settings.strategy, uniqueKey: settings.uniqueKey }
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
