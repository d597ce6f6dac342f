import { beforeAll, describe, expect, test } from '@jest/globals'
import { aPrincipal } from '@olytix/auth-guards/testing'
import { loadModule } from 'libpg-query'
import { buildProject } from '../project/build-project.js'
import type { Project } from '../project/project.js'
import { impactOf } from './impact.js'
import { visibleGraph } from './visible-graph.js'

const CLERK = aPrincipal({ id: 'key_clerk', roles: ['clerk'], scopes: ['read', 'write'] })
const BOSS = aPrincipal({ id: 'key_boss', roles: ['boss'], scopes: ['read'] })
const ADMIN = aPrincipal({ id: 'key_admin', roles: [], scopes: ['read', 'write', 'admin'] })

let project: Project
beforeAll(async () => {
  await loadModule()
  project = buildProject(
    {
      project: { path: 'p.yml', text: 'name: small' },
      sources: [
        {
          path: 's.yml',
          text: `sources: [{name: raw, tables: [
            {name: people, columns: [{name: id}, {name: town}, {name: secret_pay}, {name: unlisted}]},
            {name: secret_safes, columns: [{name: code}]}]}]`,
        },
      ],
      models: [
        {
          path: 'models/staff.sql',
          text: `select id, town as place, upper(town) as loud, secret_pay, secret_pay * 2 as twice_secret,
            unlisted from {{ source('raw', 'people') }} where secret_pay > 0`,
        },
      ],
      cubes: [
        {
          path: 'c.yml',
          text: `cubes:
  - name: staff
    model: staff
    dimensions:
      - {name: id, type: number, primary_key: true}
      - {name: place, type: string}
      - {name: loud, type: string}
      - {name: secret_pay, type: number}
      - {name: unlisted, type: string, public: false}
    measures:
      - {name: count, type: count_distinct, sql: id}
      - {name: secret_total, type: sum, sql: secret_pay}
  - name: secret_safes
    sql_table: raw.secret_safes
    dimensions: [{name: code, type: string}]
    measures: [{name: count, type: count}]`,
        },
      ],
      metrics: [
        {
          path: 'm.yml',
          text: `metrics:
  - {name: heads, type: simple, expression: staff.count}
  - {name: secret_sum, type: simple, expression: staff.secret_total}`,
        },
      ],
      policies: [
        {
          path: 'r.yml',
          text: `policies:
  - {name: few, cube: staff, roles: [clerk], exclude_members: [secret_pay]}
  - {name: all, cube: staff, roles: [boss]}
  - {name: safes, cube: secret_safes, roles: [boss]}`,
        },
      ],
    },
    {},
  )
})

test('each hop says how it comes about', () => {
  const { edges } = visibleGraph(project, ADMIN)
  expect(edges).toEqual(
    expect.arrayContaining([
      { from: 'column:raw.people.id', to: 'column:staff.id', type: 'DIRECT' },
      { from: 'column:raw.people.town', to: 'column:staff.place', type: 'RENAMED' },
      { from: 'column:raw.people.town', to: 'column:staff.loud', type: 'DERIVED' },
      { from: 'column:raw.people.secret_pay', to: 'model:staff', type: 'FILTERED' },
      { from: 'column:staff.place', to: 'dimension:staff.place', type: 'DIMENSION_SOURCE' },
      { from: 'column:staff.id', to: 'measure:staff.count', type: 'MEASURE_SOURCE' },
      { from: 'measure:staff.count', to: 'metric:heads', type: 'METRIC_SOURCE' },
      { from: 'model:staff', to: 'cube:staff', type: 'DIRECT' },
    ]),
  )
})

describe('nobody learns the name of what is hidden from them', () => {
  test('a clerk sees neither withheld members and cubes nor their columns, nor what is not public', () => {
    const { nodes, edges } = visibleGraph(project, CLERK)
    expect(JSON.stringify([[...nodes.values()], edges])).not.toMatch(/secret|unlisted/)
    expect([...nodes.keys()].sort()).toEqual([
      'column:raw.people.id',
      'column:raw.people.town',
      'column:staff.id',
      'column:staff.loud',
      'column:staff.place',
      'cube:staff',
      'dimension:staff.id',
      'dimension:staff.loud',
      'dimension:staff.place',
      'measure:staff.count',
      'metric:heads',
      'model:staff',
      'source:raw',
      'table:raw.people',
    ])
  })

  test('who may ask for it sees what it is made of, and still not what is not public', () => {
    const { nodes } = visibleGraph(project, BOSS)
    const ids = [...nodes.keys()].join(' ')
    expect(ids).toContain('column:raw.people.secret_pay')
    expect(ids).toContain('table:raw.secret_safes')
    expect(ids).not.toContain('unlisted')
  })

  test('what is hidden is unknown to impact, and no near name', () => {
    for (const id of [
      'column:raw.people.secret_pay',
      'metric:secret_sum',
      'column:staff.secret_pai',
    ]) {
      const graph = visibleGraph(project, CLERK)
      expect(() => impactOf(graph, id, 9)).toThrow(
        expect.objectContaining({
          code: 'INVALID_REQUEST',
          details: [expect.not.objectContaining({ suggestion: expect.stringMatching(/secret/) })],
        }),
      )
    }
  })
})

test('impact follows what is made of a column, nearest first, as deep as it is asked', () => {
  const graph = visibleGraph(project, CLERK)
  const found = impactOf(graph, 'column:raw.people.id', 9).map(({ id, depth }) => [id, depth])
  expect(found).toEqual([
    ['column:staff.id', 1],
    ['dimension:staff.id', 2],
    ['measure:staff.count', 2],
    ['metric:heads', 3],
  ])
  expect(impactOf(graph, 'column:raw.people.id', 1)).toHaveLength(1)
})
