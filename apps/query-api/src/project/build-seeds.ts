import { problemAt, type ProjectFile, quote } from '@olytix/config/yaml'
import { SERVERS_OWN } from './build-sources.js'
import { lineageOfTable } from './column-lineage.js'
import { CsvProblem, type CsvFile, type CsvRow, readCsv } from './csv-file.js'
import type { SeedShape } from './property-shapes.js'
import type { Defined, Problems } from './problems.js'
import { byName, type Named } from './named.js'
import type { Source, TableName } from './project.js'
import type { Seed, SeedColumn } from './seed.js'
import { expectedForm, inferType } from './seed-types.js'
import { quoted, quotedTable, tableKey } from './table-names.js'
import { isWholeRowFunction } from './whole-row.js'

/** What seeds are built from. */
interface SeedInputs {
  /** Below `seeds/`; those that are no CSV are read already. */
  readonly files?: readonly ProjectFile[] | undefined
  /** What the YAML files among them say. */
  readonly shapes: readonly Defined<SeedShape>[]
  readonly sources: Named<Source>
}

const SEED_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/
const SCHEMA = 'seeds'
const MAX_COLUMNS = 500
/** Of one file: whoever exports a table anew has the same mistake in every row. */
const MAX_PROBLEMS = 10

/** Seeds by name. Those with problems are left out of the result, which is used only when there are none. */
export function buildSeeds(inputs: SeedInputs, problems: Problems): Named<Seed> {
  const { files = [], shapes, sources } = inputs
  const described = problems.distinct('seed', shapes)
  const named = distinctFiles(
    files.filter(({ path }) => path.endsWith('.csv')),
    problems,
  )
  for (const each of described) {
    if (!named.has(each.shape.name)) {
      problems.unknown(each, ['name'], ['seed', each.shape.name], named.keys())
    }
  }
  const seeds = [...named].flatMap(([name, file]) => {
    const shape = described.find((each) => each.shape.name === name)
    return buildSeed(name, file, shape, problems) ?? []
  })
  checkTargets(seeds, sources, problems)
  return byName(seeds)
}

/** Loading a seed must not put its rows in the place of others. */
function checkTargets(seeds: readonly Seed[], sources: Named<Source>, problems: Problems): void {
  const taken = new Map(
    Object.values(sources).flatMap(({ name, tables }) =>
      Object.values(tables).map((table) => [tableKey(table), `source ${name}`]),
    ),
  )
  for (const { name, path, target } of seeds) {
    const other = taken.get(tableKey(target))
    const place = { file: path, line: 1, column: 1 }
    const table = `${target.schema}.${target.table}`
    if (other !== undefined) problems.at(place, `${table} is a table of ${other}`)
    taken.set(tableKey(target), `seed ${name}`)
  }
}

function distinctFiles(files: readonly ProjectFile[], problems: Problems) {
  const found = new Map<string, ProjectFile>()
  for (const file of files) {
    const name = seedName(file.path)
    const other = found.get(name)
    const place = { file: file.path, line: 1, column: 1 }
    if (other) problems.at(place, `seed ${quote(name)} is ${other.path} already`)
    else found.set(name, file)
    if (!SEED_NAME.test(name)) {
      problems.at(place, 'a seed is named in letters, digits and _, at most 63 long')
    }
  }
  return found
}

function buildSeed(
  name: string,
  file: ProjectFile,
  shape: Defined<SeedShape> | undefined,
  problems: Problems,
): Seed | undefined {
  const csv = readingCsv(file, problems)
  if (!csv) return undefined
  const found = checkHeader(csv.header)
  const columns = found.length > 0 ? [] : columnsOf(csv, shape)
  found.push(...checkRows(csv, columns))
  problems.found.push(...found.slice(0, MAX_PROBLEMS))
  const target = targetOf(name, shape, problems)
  const names = columns.map((column) => column.name)
  return {
    name,
    path: file.path,
    description: shape?.shape.description ?? '',
    target,
    columns,
    relation: {
      text: quotedTable(target),
      tables: [target],
      isOpaque: false,
      lineage: lineageOfTable(target, names),
      builds: [],
      columns: names,
    },
    select: found.length > 0 ? '' : selectOf(csv, columns),
  }
}

function readingCsv(file: ProjectFile, problems: Problems): CsvFile | undefined {
  try {
    return readCsv(file)
  } catch (error) {
    if (!(error instanceof CsvProblem)) throw error
    problems.at(error.place, error.message)
    return undefined
  }
}

function targetOf(
  name: string,
  shape: Defined<SeedShape> | undefined,
  problems: Problems,
): TableName {
  const { schema = SCHEMA, alias = name } = shape?.shape ?? {}
  if (shape && SERVERS_OWN.test(schema)) {
    problems.on(shape, ['schema'], `schema ${schema} is the server's own`)
  }
  return { schema, table: alias }
}

function checkHeader({ values, placeOf }: CsvRow) {
  const seen = new Set<string>()
  const found = values.flatMap((value, at) => {
    const name = value ?? ''
    const isTwice = seen.has(name)
    seen.add(name)
    if (!SEED_NAME.test(name)) {
      const expected = 'expected the name of a column: letters, digits and _, at most 63 long'
      return [problemAt(placeOf(at), expected)]
    }
    // In a table that was loaded before it had this column, its name would mean all columns.
    if (isWholeRowFunction(name)) {
      return [problemAt(placeOf(at), `${quote(name)} is a function too; name the column otherwise`)]
    }
    return isTwice ? [problemAt(placeOf(at), `there is a column ${quote(name)} already`)] : []
  })
  if (values.length <= MAX_COLUMNS) return found
  const message = `expected at most ${String(MAX_COLUMNS)} columns`
  return [...found, problemAt(placeOf(MAX_COLUMNS), message)]
}

function columnsOf({ header, rows }: CsvFile, shape: Defined<SeedShape> | undefined): SeedColumn[] {
  const names = header.values.map((name) => name ?? '')
  const said = shape?.shape.columns ?? []
  return names.map((name, at) => {
    const column = said.find((each) => each.name === name)
    const type = column?.type ?? inferType(rows.map(({ values }) => values[at] ?? null))
    return { name, type, description: column?.description ?? '' }
  })
}

function checkRows({ header, rows }: CsvFile, columns: readonly SeedColumn[]) {
  const wanted = header.values.length
  return rows.flatMap(({ values, placeOf }) => {
    if (values.length !== wanted) {
      const message = `expected ${String(wanted)} values as in the first line, not ${String(values.length)}`
      return [problemAt(placeOf(0), message)]
    }
    return values.flatMap((value, at) => {
      const column = columns[at]
      const form = column && value !== null ? expectedForm(column.type, value) : undefined
      if (!column || form === undefined) return []
      return [problemAt(placeOf(at), `column ${column.name}: expected ${form}`)]
    })
  })
}

/** Its rows as a SELECT, in the order of the file: built like a model's, a seed needs no other way into the warehouse. */
function selectOf({ rows }: CsvFile, columns: readonly SeedColumn[]): string {
  const values = JSON.stringify(rows.map((row) => row.values)).replaceAll("'", "''")
  const results = columns.map(({ name, type }, at) => {
    return `(line ->> ${String(at)})::${type} as ${quoted(name)}`
  })
  return `select ${results.join(', ')} from jsonb_array_elements('${values}'::jsonb) with ordinality as lines (line, n) order by n`
}

/** `seeds/finance/targets.csv` defines `targets`. */
function seedName(path: string): string {
  return path.replace(/^.*\//, '').replace(/\.csv$/, '')
}
