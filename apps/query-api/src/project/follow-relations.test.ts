import { beforeAll, describe, expect, test } from '@jest/globals'
import { loadModule } from 'libpg-query'
import { buildProject } from './build-project.js'
import { followRelations, type StoredRelation } from './follow-relations.js'
import type { Project } from './project.js'

beforeAll(() => loadModule())

function build(policies: string): Project {
  const file = (path: string, text: string) => ({ path, text })
  const spine = '{granularity: day, sql_table: raw.days, column: day}'
  return buildProject(
    {
      project: file('p.yml', `name: p\ntime_spines: [${spine}]`),
      sources: [
        file(
          's.yml',
          'sources: [{name: raw, tables: [{name: visits}, {name: days, columns: [{name: day}]}]}]',
        ),
      ],
      models: [],
      cubes: [
        file(
          'c.yml',
          'cubes: [{name: visits, sql_table: raw.visits, measures: [{name: count, type: count}]}]',
        ),
      ],
      metrics: [],
      policies: [file('r.yml', policies)],
    },
    {},
  )
}

const POLICED = 'policies: [{name: p, cube: visits, roles: [a]}]'
const stored = (table: string, more: Partial<StoredRelation> = {}): StoredRelation => {
  return {
    schema: 'raw',
    table,
    kind: 'table',
    columns: ['day'],
    definition: undefined,
    reads: [],
    isBuilt: false,
    ...more,
  }
}
const view = (definition: string): StoredRelation =>
  stored('days', { kind: 'view', definition, reads: [{ schema: 'raw', table: 'visits' }] })

describe('a time spine, which everybody may read', () => {
  test.each<[string, StoredRelation[]]>([
    ['is no view over a protected table', [stored('visits'), view('select day from raw.visits')]],
    ['is nothing that cannot be followed', [stored('visits'), stored('days', { kind: 'other' })]],
    ['is a table that is there', [stored('visits')]],
  ])('%s', (_, relations) => {
    expect(() => followRelations(build(POLICED), relations, [])).toThrow(
      'it cannot be a time spine',
    )
    expect(() => followRelations(build('policies: []'), relations, [])).not.toThrow()
  })

  test('may be a view over other tables', () => {
    const other = { schema: 'raw', table: 'calendar' }
    const relations = [
      stored('visits'),
      stored('calendar'),
      stored('days', { kind: 'view', definition: 'select day from raw.calendar', reads: [other] }),
    ]
    expect(() => followRelations(build(POLICED), relations, [])).not.toThrow()
  })
})

test('views that read each other in a circle, as no database holds them, come to an end', () => {
  const reads = [{ schema: 'raw', table: 'visits' }]
  const circle = stored('visits', { kind: 'view', definition: 'select day from raw.visits', reads })
  const { relation } = followRelations(build('policies: []'), [circle], []).cubes['visits'] ?? {}
  expect(relation?.tables).toEqual(reads)
})
