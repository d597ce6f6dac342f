import { beforeAll, describe, expect, test } from '@jest/globals'
import { loadModule } from 'libpg-query'
import { buildProject } from './build-project.js'
import type { Project } from './project.js'
import { selectModels, waitsFor } from './select-models.js'

beforeAll(() => loadModule())

const TEXTS = {
  'staging/stg_orders.sql':
    "{{ config(tags='daily') }} select id from {{ source('raw', 'orders') }}",
  'staging/stg_people.sql': "select id from {{ source('raw', 'people') }}",
  'staging/helper.sql':
    "{{ config(materialized='ephemeral') }} select id from {{ ref('stg_orders') }}",
  'marts/fct_orders.sql':
    "{{ config(materialized='table', tags=['daily', 'big']) }} select id from {{ ref('helper') }}",
  'marts/report.sql':
    "select f.id from {{ ref('fct_orders') }} f join {{ ref('stg_people') }} p on p.id = f.id",
}

function shop(): Project {
  return buildProject(
    {
      project: { path: 'p.yml', text: 'name: shop' },
      sources: [
        { path: 's.yml', text: 'sources: [{name: raw, tables: [{name: orders}, {name: people}]}]' },
      ],
      models: Object.entries(TEXTS).map(([path, text]) => ({ path: `models/${path}`, text })),
      cubes: [],
      metrics: [],
      policies: [],
    },
    {},
  )
}

const namesOf = (words: readonly string[]): string[] =>
  selectModels(shop(), words).map(({ name }) => name)

describe('a selection', () => {
  test.each<[string, string[], string[]]>([
    [
      'of nothing is everything',
      [],
      Object.keys(TEXTS).map((path) => path.replace(/^.*\/|\.sql$/g, '')),
    ],
    ['names a model', ['report'], ['report']],
    ['adds what is read', ['+fct_orders'], ['stg_orders', 'helper', 'fct_orders']],
    ['adds what reads', ['fct_orders+'], ['fct_orders', 'report']],
    ['adds both', ['+fct_orders+'], ['stg_orders', 'helper', 'fct_orders', 'report']],
    ['takes a tag', ['tag:daily'], ['stg_orders', 'fct_orders']],
    ['takes a folder', ['path:marts'], ['fct_orders', 'report']],
    ['takes one file by its path', ['path:marts/report.sql'], ['report']],
    ['takes readers of a source', ['source:raw'], ['stg_orders', 'stg_people']],
    [
      'takes readers of one table and what follows',
      ['source:raw.people+'],
      ['stg_people', 'report'],
    ],
    ['takes what any word chooses', ['tag:big', 'stg_people'], ['fct_orders', 'stg_people']],
  ])('%s', (_, words, expected) => {
    expect(namesOf(words).sort()).toEqual([...expected].sort())
  })

  test('comes in an order in which nothing stands before what it reads', () => {
    const names = namesOf([])
    for (const [before, after] of [
      ['stg_orders', 'helper'],
      ['helper', 'fct_orders'],
      ['fct_orders', 'report'],
      ['stg_people', 'report'],
    ] as const) {
      expect(names.indexOf(before)).toBeLessThan(names.indexOf(after))
    }
  })

  test.each([
    ['fct_order', 'fct_orders'],
    ['+fct_order+', 'fct_orders'],
    ['tag:dayly', 'tag:daily'],
    ['source:rew', 'source:raw'],
    ['path:mart', undefined],
    ['constructor', undefined],
    ['a+b', undefined],
    ['', undefined],
  ])('of %j, which chooses nothing, is refused with the nearest word', (word, suggestion) => {
    const message = `"${word}" chooses no model`
    expect(() => namesOf(['report', word])).toThrow(
      expect.objectContaining({
        code: 'INVALID_REQUEST',
        details: [{ path: 'select[1]', message, suggestion }],
      }),
    )
  })
})

test('a model waits for what is run before it, also behind one that is not run', () => {
  const project = shop()
  const { fct_orders: fact, report } = project.models
  if (!fact || !report) throw new Error('both are there')
  expect(waitsFor(project, fact, new Set(['stg_orders', 'fct_orders']))).toEqual(['stg_orders'])
  expect(waitsFor(project, report, new Set(['stg_orders', 'fct_orders', 'report']))).toEqual([
    'fct_orders',
  ])
  expect(waitsFor(project, report, new Set(['stg_orders', 'report']))).toEqual(['stg_orders'])
})
