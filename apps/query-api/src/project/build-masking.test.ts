import { beforeAll, describe, expect, test } from '@jest/globals'
import { Secret } from '@olytix/config'
import { AppError } from '@olytix/errors'
import { loadModule } from 'libpg-query'
import { buildProject } from './build-project.js'
import type { Project } from './project.js'

beforeAll(() => loadModule())

const SOURCES = 'sources: [{name: raw, tables: [{name: people}]}]'
const CUBES = `cubes:
  - name: people
    sql_table: raw.people
    measures: [{name: pay, type: sum, sql: pay}]
    dimensions:
      - {name: name, type: string}
      - {name: age, type: number}
      - {name: born, type: time}
      - {name: is_boss, type: boolean}
      - {name: shard, type: string, partition: true}
    segments: [{name: old, sql: age > 60}]
`

function build(masking: string, key?: Secret, more: Record<string, string> = {}): Project {
  const file = (path: string, text: string) => ({ path, text })
  return buildProject(
    {
      project: file('p.yml', more['project'] ?? 'name: p'),
      sources: [file('s.yml', SOURCES)],
      models: [],
      cubes: [file('c.yml', CUBES)],
      metrics: [],
      policies: [file('m.yml', masking)],
    },
    {},
    key,
  )
}

/** `line:column message` of each problem; none when it compiles. */
function problemsOf(rules: string): string[] {
  try {
    build(`masking:\n  - ${rules}\n`)
    return []
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return (error.details ?? []).map(({ line, column, message }) => {
      return `${String(line)}:${String(column)} ${message}`
    })
  }
}

const mask = (member: string, what: string): string =>
  `{name: m, cube: people, members: [${member}], mask: ${what}}`

describe('a masking policy that cannot be is refused with its place', () => {
  test.each([
    [
      mask('name', 'blur'),
      '2:52 masking[0].mask: expected null, partial, hash, none or {value: …}',
    ],
    [mask('name', '{}'), '2:52 masking[0].mask: expected null, partial, hash, none or {value: …}'],
    [
      '{name: m, cube: people, members: [name]}',
      '2:5 masking[0].mask: expected null, partial, hash, none or {value: …}',
    ],
    [mask('nam', 'null'), '2:39 unknown member "nam" of cube people'],
    [mask('people.nam', 'null'), '2:39 unknown member "people.nam" of cube people'],
    [
      mask('name', '{value: 5}'),
      '2:39 people.name is a string, and so must be the value of its mask',
    ],
    [
      mask('age', '{value: x}'),
      '2:39 people.age is a number, and so must be the value of its mask',
    ],
    [
      mask('pay', '{value: x}'),
      '2:39 people.pay is a number, and so must be the value of its mask',
    ],
    [
      mask('born', '{value: 2000-02-30}'),
      '2:39 people.born is a time; its mask must be null or a date such as 2016-01-31',
    ],
    [mask('born', 'hash'), '2:39 people.born is a time; hash masks texts and numbers'],
    [mask('is_boss', 'hash'), '2:39 people.is_boss is a boolean; hash masks texts and numbers'],
    [mask('old', 'null'), '2:39 people.old is a segment, which has no value to mask'],
    [
      mask('shard', 'null'),
      '2:39 people.shard is a partition, by which cubes are joined, and cannot be masked',
    ],
    [mask('name', 'hash'), '2:52 mask: hash needs a key: set OLYTIX_MASKING__KEY'],
    [mask('name, people.name', 'null'), '2:45 people.name is masked by "m"'],
    ['{name: m, cube: peopl, members: [name], mask: null}', '2:21 unknown cube "peopl"'],
    [
      '{name: m, cube: people, members: [], mask: null}',
      '2:38 masking[0].members: name at least one member',
    ],
  ])('%s', (rules, expected) => {
    expect(problemsOf(rules)).toContain(expected)
  })

  test('a time spine that everybody may read is no masked table', () => {
    const project =
      'name: p\ntime_spines: [{granularity: day, sql_table: raw.people, column: born}]'
    expect(() => build(`masking: [${mask('name', 'null')}]`, undefined, { project })).toThrow(
      'raw.people is read by a cube with policies and cannot be a time spine',
    )
  })
})

test.each(['null', '~', 'partial', 'hash', 'none', '{value: "?"}'])('mask: %s is one', (what) => {
  const { masking } = build(`masking: [${mask('name', what)}]`, new Secret('k'))
  expect(masking[0]?.members).toEqual(['name'])
})
