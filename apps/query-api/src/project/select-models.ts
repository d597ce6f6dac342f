import { quote } from '@olytix/config/yaml'
import { AppError, suggest } from '@olytix/errors'
import type { Model } from './model.js'
import type { Project } from './project.js'
import { tableKey } from './table-names.js'

type Models = Pick<Project, 'models' | 'sources'>

/**
 * The models that words choose, each after those that it reads; all of them without words. A word is the name of a model,
 * `tag:daily`, `path:marts`, `source:raw` or `source:raw.orders`; a `+` before it adds all that these read, one after it
 * all that reads them. Several words choose what any of them does.
 * @throws AppError INVALID_REQUEST for each word that chooses nothing
 */
export function selectModels(project: Models, words: readonly string[]): Model[] {
  const graph = new ModelGraph(project)
  if (words.length === 0) return graph.ordered
  const problems = words.flatMap((word, index) => {
    if (chosenBy(word, graph).length > 0) return []
    const suggestion = suggest(baseOf(word), graph.words)
    const message = `${quote(word)} chooses no model`
    return [{ path: `select[${String(index)}]`, message, suggestion }]
  })
  if (problems.length > 0) {
    const [first] = problems
    throw new AppError('INVALID_REQUEST', first?.message ?? '', { details: problems })
  }
  const chosen = new Set(words.flatMap((word) => chosenBy(word, graph)))
  return graph.ordered.filter(({ name }) => chosen.has(name))
}

/** The models among `names` that a model waits for: those that it reads, through any that are not among them. */
export function waitsFor(
  { models }: Pick<Project, 'models'>,
  model: Model,
  names: ReadonlySet<string>,
): string[] {
  const found = new Set<string>()
  const passed = new Set<string>()
  const visit = (from: Model): void => {
    for (const name of readsOf(from)) {
      const read = models[name]
      if (!read || passed.has(name)) continue
      passed.add(name)
      if (names.has(name)) found.add(name)
      else visit(read)
    }
  }
  visit(model)
  return [...found]
}

const WORD = /^(\+?)([^+]+)(\+?)$/

function baseOf(word: string): string {
  return WORD.exec(word)?.[2] ?? word
}

function chosenBy(word: string, graph: ModelGraph): string[] {
  const [, before = '', base = '', after = ''] = WORD.exec(word) ?? []
  const named = graph.named(base)
  return [
    ...named,
    ...(before ? named.flatMap((name) => graph.reached(name, graph.reads)) : []),
    ...(after ? named.flatMap((name) => graph.reached(name, graph.readers)) : []),
  ]
}

type Edges = ReadonlyMap<string, readonly string[]>

class ModelGraph {
  /** By the name of a model: those that it reads. */
  readonly reads: Edges
  /** By the name of a model: those that read it. */
  readonly readers: Edges
  /** Each after those that it reads. */
  readonly ordered: Model[]

  constructor(private readonly project: Models) {
    const models = Object.values(project.models)
    this.reads = new Map(models.map((model) => [model.name, readsOf(model)]))
    this.readers = new Map(
      models.map(({ name }) => [
        name,
        models.filter((each) => readsOf(each).includes(name)).map((each) => each.name),
      ]),
    )
    const ordered = new Map<string, Model>()
    const visit = (model: Model): void => {
      if (ordered.has(model.name)) return
      for (const name of readsOf(model)) {
        const read = project.models[name]
        if (read) visit(read)
      }
      ordered.set(model.name, model)
    }
    models.forEach(visit)
    this.ordered = [...ordered.values()]
  }

  /** What may stand in a word, for near names. */
  get words(): string[] {
    const tags = this.ordered.flatMap((model) => model.tags.map((tag) => `tag:${tag}`))
    const sources = Object.keys(this.project.sources).map((name) => `source:${name}`)
    return [...this.ordered.map(({ name }) => name), ...new Set(tags), ...sources]
  }

  named(base: string): string[] {
    const [, method = 'name', value = base] = /^(tag|path|source):(.+)$/.exec(base) ?? []
    const chosen = this.ordered.filter((model) => this.isChosen(model, method, value))
    return chosen.map(({ name }) => name)
  }

  /** Everything that can be come to along edges. */
  reached(from: string, edges: Edges): string[] {
    const found = new Set<string>()
    const visit = (name: string): void => {
      for (const next of edges.get(name) ?? []) {
        if (found.has(next)) continue
        found.add(next)
        visit(next)
      }
    }
    visit(from)
    return [...found]
  }

  private isChosen(model: Model, method: string, value: string): boolean {
    if (method === 'tag') return model.tags.includes(value)
    if (method === 'path') return `${model.path}/`.startsWith(`models/${value.replace(/\/$/, '')}/`)
    if (method === 'source') return this.readsSource(model, value)
    return model.name === value
  }

  private readsSource({ reads }: Model, value: string): boolean {
    const [source = '', only] = value.split('.')
    const tables = Object.values(this.project.sources[source]?.tables ?? {})
    const keys = new Set(
      tables.filter(({ table }) => only === undefined || table === only).map(tableKey),
    )
    return reads.some((read) => 'table' in read && keys.has(tableKey(read.table)))
  }
}

function readsOf({ reads }: Model): string[] {
  return reads.flatMap((read) => ('model' in read ? [read.model] : []))
}
