import { beforeAll, describe, expect, test } from '@jest/globals'
import { loadModule } from 'libpg-query'
import { buildProject } from '../project/build-project.js'
import type { Project } from '../project/project.js'
import { changedFooting } from './rule-footing.js'

beforeAll(async () => {
  await loadModule()
})

const SOURCES = `sources:
  - {name: raw, tables: [{name: sales}, {name: people}, {name: other}]}`

const CUBES = `cubes:
  - name: sales
    model: clean
    joins: [{name: people, relationship: many_to_one, sql: "{CUBE}.person = {people}.id"}]
    dimensions:
      - {name: id, type: number, primary_key: true}
      - {name: tenant, type: string}
      - {name: note, type: string}
    measures:
      - {name: amount, type: sum, sql: amount}
      - {name: cost, type: sum, sql: cost, filters: [{sql: "cost > 0"}]}
      - {name: average, type: avg, sql: pay}
      - {name: middle, type: percentile, sql: pay, percentile: 0.5}
      - {name: frauds, type: count, filters: [{sql: is_fraud}]}
      - {name: profit, type: sum, sql: "a - b"}
  - name: people
    sql_table: raw.people
    dimensions:
      - {name: id, type: number, primary_key: true}
      - {name: region, type: string}
      - {name: name, type: string}
  - name: free
    sql_table: raw.other
    dimensions: [{name: a, type: string}]`

const MODEL = `select * from {{ source('raw', 'sales') }}`

const RULES = `policies:
  - {name: own, cube: sales, roles: ["*"], filter: "tenant = $user.tenant and people.region = 'West'", exclude_members: [cost, frauds, profit]}
masking:
  - {name: names, cube: people, members: [name], mask: partial}
  - {name: pay, cube: sales, members: [average, middle], mask: none}`

function project(change: (text: string) => string = (text) => text): Project {
  const file = (path: string, text: string) => ({ path, text: change(text) })
  return buildProject(
    {
      project: { path: 'p.yml', text: 'name: shop' },
      sources: [file('s.yml', SOURCES)],
      models: [file('models/clean.sql', MODEL)],
      cubes: [file('c.yml', CUBES)],
      metrics: [],
      policies: [{ path: 'r.yml', text: RULES }],
    },
    {},
  )
}

const changed = (from: string, to: string): string[] =>
  changedFooting(
    project(),
    project((text) => text.replace(from, to)),
  )

describe('only an admin changes', () => {
  test.each([
    ['the model that a cube with policies reads', 'select *', 'select distinct *'],
    ['the table that its source stands for', '{name: raw, ', '{name: raw, schema: elsewhere, '],
    ['its joins', '{CUBE}.person = {people}.id', '{CUBE}.id = {people}.id'],
    [
      'a dimension that its policy compares',
      'tenant, type: string',
      'tenant, type: string, sql: note',
    ],
    [
      'one that the policy compares through a join',
      'region, type: string',
      'region, type: string, sql: name',
    ],
    [
      'what that joined cube reads',
      'sql_table: raw.people',
      "sql: \"select * from {{ source('raw', 'people') }}\"",
    ],
    ['a member that a policy closes', 'type: sum, sql: cost', 'type: sum, sql: amount'],
    ['the filter of such a member', 'cost > 0', 'cost > 1'],
    ['an average that may be shown into a greatest value', 'type: avg', 'type: max'],
    ['a median that may be shown into a greatest value', 'percentile: 0.5', 'percentile: 0.99'],
    [
      'a second count of the rows that a hidden one counts',
      '      - {name: frauds',
      '      - {name: bad, type: count, filters: [{sql: is_fraud}]}\n      - {name: frauds',
    ],
    [
      'a sum that is a hidden one in other words',
      '      - {name: frauds',
      '      - {name: loss, type: sum, sql: "-(b - a)"}\n      - {name: frauds',
    ],
    [
      'a member that is masked',
      'name, type: string}\n  - name: free',
      'name, type: string, sql: "\'x\'"}\n  - name: free',
    ],
  ])('%s', (_, from, to) => {
    expect(CUBES.includes(from) || MODEL.includes(from) || SOURCES.includes(from)).toBe(true)
    expect(changed(from, to)).not.toEqual([])
  })
})

describe('whoever may write changes', () => {
  test.each([
    [
      'a cube without policies',
      'sql_table: raw.other',
      "sql: \"select * from {{ source('raw', 'other') }}\"",
    ],
    [
      'another member of a cube with policies',
      'note, type: string',
      'note, type: string, title: Note',
    ],
    ['another measure', 'type: sum, sql: amount', 'type: avg, sql: amount'],
    ['nothing', 'note', 'note'],
  ])('%s', (_, from, to) => {
    expect(CUBES).toContain(from)
    expect(changed(from, to)).toEqual([])
  })
})
