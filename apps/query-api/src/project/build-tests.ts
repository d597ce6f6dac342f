import { type ProjectFile, quote } from '@olytix/config/yaml'
import { suggest } from '@olytix/errors'
import type { DataTest } from './data-checks.js'
import type { SourceShape } from './definition-schemas.js'
import { type Defined, part, type Problems } from './problems.js'
import { byName, type Named } from './named.js'
import type { Relation } from './project.js'
import type { ColumnShape, ColumnTestShape } from './property-shapes.js'
import type { Referable } from './seed.js'
import { checkSelect, type Readable, tableRelation } from './select.js'
import { SqlProblem } from './sql-tree.js'
import { quoted, uniqueTables } from './table-names.js'
import type { TemplateCall } from './template.js'

/** What tests are built from. */
export interface TestInputs {
  /** Below `tests/`. */
  readonly files?: readonly ProjectFile[] | undefined
  readonly sources: readonly Defined<SourceShape>[]
  /** What YAML files say of models and seeds. */
  readonly told: {
    readonly models: readonly Defined<Told>[]
    readonly seeds: readonly Defined<Told>[]
  }
  /** With those that are not enabled. */
  readonly modelNames: readonly string[]
  readonly readable: Readable
  readonly referable: Named<Referable>
}

interface Told {
  readonly name: string
  readonly columns: readonly ColumnShape[]
}

/** What columns are tested of. */
interface Subject {
  readonly name: string
  readonly relation: Relation
  readonly told: Defined<{ readonly columns?: readonly ColumnShape[] | undefined }>
}

/** Tests by name. Those with problems are left out of the result, which is used only when there are none. */
export function buildTests(inputs: TestInputs, problems: Problems): Named<DataTest> {
  const builder = new TestBuilder(inputs, problems)
  for (const subject of builder.subjects()) builder.addColumns(subject)
  for (const file of inputs.files ?? []) builder.addFile(file)
  return byName(builder.built.values())
}

class TestBuilder {
  readonly built = new Map<string, DataTest>()

  constructor(
    private readonly inputs: TestInputs,
    private readonly problems: Problems,
  ) {}

  subjects(): Subject[] {
    const { told, modelNames, referable } = this.inputs
    for (const model of told.models) {
      const { name } = model.shape
      if (!modelNames.includes(name)) {
        this.problems.unknown(model, ['name'], ['model', name], modelNames)
      }
    }
    const named = [...told.models, ...told.seeds].flatMap((each): Subject[] => {
      const { name } = each.shape
      const found = referable[name]
      return found ? [{ name, relation: found.relation, told: each }] : []
    })
    return [...this.tables(), ...named]
  }

  private tables(): Subject[] {
    const { sources, readable } = this.inputs
    return sources.flatMap((source) =>
      source.shape.tables.flatMap((table, at): Subject[] => {
        const qualifier = source.shape.name
        if (!readable.table(qualifier, table.name)) return []
        const relation = tableRelation(qualifier, table.name, readable, 0)
        const name = `${qualifier}.${table.name}`
        return [{ name, relation, told: part(source, ['tables', at], table) }]
      }),
    )
  }

  addColumns(subject: Subject): void {
    const { told, relation } = subject
    told.shape.columns?.forEach((column, at) => {
      const defined = part(told, ['columns', at], column)
      const { columns } = relation
      if (columns && !columns.includes(column.name)) {
        this.problems.unknown(defined, ['name'], ['column', column.name], columns)
      }
      column.tests.forEach((test, index) => {
        const place = part(defined, ['tests', index], test)
        const built = this.problems.parsing(place, [], () => this.columnTest(subject, column, test))
        if (!built) return
        if (this.built.has(built.name)) {
          this.problems.on(place, [], `there is a test ${quote(built.name)} already`)
        }
        this.built.set(built.name, { ...built, path: place.file.placeOf([]).file })
      })
    })
  }

  addFile(file: ProjectFile): void {
    const name = file.path.replace(/^.*\//, '').replace(/\.sql$/, '')
    const other = this.built.get(name)
    const built = this.problems.inFile(file, () => {
      if (other) throw new SqlProblem(`test ${quote(name)} is ${other.path} already`, 0)
      if (!/^\w{1,63}$/.test(name)) {
        throw new SqlProblem('a test is named in letters, digits and _, at most 63 long', 0)
      }
      return this.ownSelect(file.text)
    })
    if (built) this.built.set(name, { name, subject: undefined, path: file.path, ...built })
  }

  private ownSelect(text: string): Pick<DataTest, 'severity' | 'count' | 'tables'> {
    let severity: DataTest['severity'] = 'error'
    const { relation } = checkSelect(text, this.inputs.readable, {
      isIncremental: undefined,
      other: (call) => {
        if (call.name !== 'config') return undefined
        severity = severityOf(call)
        return ''
      },
    })
    return { severity, count: countOf(`${relation.text} as failing`), tables: relation.tables }
  }

  /** @throws SqlProblem */
  private columnTest(
    { name, relation }: Subject,
    { name: column }: ColumnShape,
    test: ColumnTestShape,
  ): Omit<DataTest, 'path'> {
    const known = { subject: name, tables: relation.tables }
    const value = `subject.${quoted(column)}`
    const from = `${relation.text} as subject`
    const { not_null: notNull, unique, accepted_values: accepted, relationships } = test
    if (notNull) {
      const count = countOf(`${from} where ${value} is null`)
      return { ...known, name: `${name}.${column}:not_null`, severity: notNull.severity, count }
    }
    if (accepted) {
      const values = accepted.values.map((each) => `'${each.replaceAll("'", "''")}'`)
      const count = countOf(`${from} where ${value}::text <> all (array[${values.join(', ')}])`)
      const ofTest = `${name}.${column}:accepted_values`
      return { ...known, name: ofTest, severity: accepted.severity, count }
    }
    if (relationships) {
      const { to, field, severity } = relationships
      const parent = this.parent(to, field)
      const missing = `not exists (select from ${parent.text} as parent where parent.${quoted(field)} = ${value})`
      const count = countOf(`${from} where ${value} is not null and ${missing}`)
      const tables = uniqueTables([...relation.tables, ...parent.tables])
      return { name: `${name}.${column}:relationships`, subject: name, tables, severity, count }
    }
    const twice = `select from ${from} where ${value} is not null group by ${value} having count(*) > 1`
    const severity = unique?.severity ?? 'error'
    return {
      ...known,
      name: `${name}.${column}:unique`,
      severity,
      count: countOf(`(${twice}) as twice`),
    }
  }

  /** `ref('customers')` or `source('raw', 'customers')` */
  private parent(to: string, field: string): Relation {
    const { readable } = this.inputs
    const [, kind, first = '', second] =
      /^(ref|source)\(\s*'([^']+)'\s*(?:,\s*'([^']+)'\s*)?\)$/.exec(to.trim()) ?? []
    if (kind === undefined || (kind === 'source') !== (second !== undefined)) {
      throw new SqlProblem(`to: expected ref('…') or source('…', '…')`, 0)
    }
    const relation =
      second === undefined ? readable.model(first, 0) : tableRelation(first, second, readable, 0)
    if (relation.columns && !relation.columns.includes(field)) {
      throw new SqlProblem(`unknown column ${quote(field)}`, 0, suggest(field, relation.columns))
    }
    return relation
  }
}

function countOf(failing: string): string {
  return `select count(*) as value from ${failing}`
}

function severityOf({ values = [], named, offset }: TemplateCall): DataTest['severity'] {
  const severity = named.get('severity')
  const isAlone = values.length === 0 && named.size === 1
  if (isAlone && (severity === 'error' || severity === 'warn')) return severity
  throw new SqlProblem("expected config(severity='error') or config(severity='warn')", offset)
}
