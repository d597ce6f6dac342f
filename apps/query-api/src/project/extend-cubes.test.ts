import { beforeAll, describe, expect, test } from '@jest/globals'
import { AppError } from '@olytix/errors'
import { loadModule } from 'libpg-query'
import { buildProject } from './build-project.js'
import type { Cube, Project } from './project.js'

beforeAll(() => loadModule())

const SOURCES = `sources:
  - name: raw
    tables:
      - {name: orders, columns: [{name: id}, {name: region}, {name: amount}, {name: made_at}, {name: customer_id}]}
      - {name: old_orders, columns: [{name: id}, {name: region}, {name: amount}]}
      - {name: customers, columns: [{name: id}, {name: name}]}
      - {name: items, columns: [{name: order_id}]}
`
const ORDERS = `
  - name: orders
    sql_table: raw.orders
    refresh_key: {every: 10 minutes}
    measures:
      - {name: revenue, type: sum, sql: "{CUBE}.amount", drill_members: [orders.region, id]}
      - {name: count, type: count}
      - {name: average, type: number, sql: "{orders.revenue} / {count}"}
    dimensions:
      - {name: id, type: number, primary_key: true}
      - {name: region, type: string, sql: "{orders}.region"}
      - {name: place, type: string, sql: "lower({orders.region})"}
      - {name: made_at, type: time}
    segments: [{name: large, sql: amount > 100}]
    joins:
      - {name: customers, relationship: many_to_one, sql: "{orders}.customer_id = {customers}.id"}
      - {name: items, relationship: one_to_many, sql: "{CUBE}.id = {items}.order_id"}`
const OTHERS = `
  - {name: customers, sql_table: raw.customers, dimensions: [{name: name, type: string}]}
  - {name: items, sql_table: raw.items, measures: [{name: count, type: count}]}`

function build(cubes: string): Project {
  return buildProject(
    {
      project: { path: 'p.yml', text: 'name: p' },
      sources: [{ path: 's.yml', text: SOURCES }],
      models: [],
      cubes: [{ path: 'c.yml', text: `cubes:${cubes}${OTHERS}\n` }],
      metrics: [],
      policies: [],
    },
    {},
  )
}

function wholeIn({ cubes }: Project, name: string): Cube {
  const cube = cubes[name]
  if (!cube) throw new Error(`there is no cube ${name}`)
  return cube
}

function problems(cubes: string): string[] {
  try {
    build(cubes)
    return []
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return (error.details ?? []).map(({ line, message, suggestion = '' }) =>
      `${String(line)} ${message} ${suggestion}`.trim(),
    )
  }
}

describe('a cube that extends another', () => {
  test('has its relation, members, segments and joins, as if they were written in it', () => {
    const again = wholeIn(build(`${ORDERS}\n  - {name: again, extends: orders}`), 'again')
    const written = ORDERS.replace('name: orders', 'name: again')
      .replaceAll('orders.', 'again.')
      .replaceAll('{orders}', '{again}')
      .replace(/\n.*items.*one_to_many.*/, '')
    expect(again).toEqual(wholeIn(build(written), 'again'))
    expect(Object.keys(again.segments)).toEqual(['large'])
  })

  test('has a name, title and visibility of its own', () => {
    const hidden = ORDERS.replace('    sql_table', '    public: false\n    title: T\n    sql_table')
    const { cubes } = build(`${hidden}\n  - {name: again, extends: orders}`)
    expect(cubes['orders']).toMatchObject({ isPublic: false, title: 'T' })
    expect(cubes['again']).toMatchObject({ isPublic: true, title: 'Again', name: 'again' })
  })

  test('replaces what it defines anew, of whatever kind, also where other members refer to it', () => {
    const { cubes } = build(`${ORDERS}
  - name: again
    extends: orders
    dimensions: [{name: region, type: string, sql: "upper({CUBE}.region)"}, {name: large, type: boolean, sql: amount > 5}]
    measures: [{name: revenue, type: max, sql: amount}]`)
    const { again } = cubes
    expect(again?.measures['revenue']?.type).toBe('max')
    expect(again?.segments).toEqual({})
    expect(again?.dimensions['large']?.type).toBe('boolean')
    expect(JSON.stringify(again?.dimensions['place'])).toContain('upper(')
    expect(JSON.stringify(cubes['orders']?.dimensions['place'])).not.toContain('upper(')
  })

  test('may read something else, and is then as fresh as it says itself', () => {
    const { cubes } = build(`${ORDERS}
  - {name: part, extends: orders, sql: "select * from raw.orders where region = 'West'"}`)
    expect(cubes['part']?.relation).not.toEqual(cubes['orders']?.relation)
    expect(cubes['part']?.refreshMs).toBeUndefined()
  })

  test('keeps the primary time beside a second one, and may name another', () => {
    const { cubes } = build(`${ORDERS}
  - {name: a, extends: orders, dimensions: [{name: late, type: time, sql: made_at}]}
  - {name: b, extends: orders, dimensions: [{name: late, type: time, sql: made_at, primary_time: true}]}
  - {name: c, extends: b, dimensions: [{name: later, type: time, sql: made_at}]}`)
    expect(['a', 'b', 'c'].map((name) => cubes[name]?.primaryTime)).toEqual([
      'made_at',
      'late',
      'late',
    ])
  })

  test('is no second way to what the other one joins', () => {
    const joins = build(`${ORDERS}\n  - {name: again, extends: orders}`).cubes['again']?.joins
    expect(Object.keys(joins ?? {})).toEqual(['customers'])
  })

  test('may stand before it, and extend what extends', () => {
    const { cubes } = build(`
  - {name: third, extends: second}
  - {name: second, extends: orders, measures: [{name: most, type: max, sql: amount}]}${ORDERS}`)
    expect(Object.keys(cubes['third']?.measures ?? {})).toEqual([
      'revenue',
      'count',
      'average',
      'most',
    ])
    expect(cubes['third']?.relation).toEqual(cubes['orders']?.relation)
  })

  test('may take over what reads nothing: a template, which is no cube', () => {
    const { cubes } = build(`
  - {name: counted, public: false, measures: [{name: count, type: count}]}
  - {name: old, extends: counted, sql_table: raw.old_orders}`)
    expect(Object.keys(cubes)).toEqual(['old', 'customers', 'items'])
    expect(Object.keys(cubes['old']?.measures ?? {})).toEqual(['count'])
  })
})

describe('what is wrong is said once, where it stands', () => {
  test.each([
    [
      'an unknown cube',
      `${ORDERS}\n  - {name: again, extends: order}`,
      ['18 unknown cube "order" orders'],
    ],
    [
      'a circle',
      `\n  - {name: a, extends: b}\n  - {name: b, extends: a}`,
      ['3 cube "a" would extend itself'],
    ],
    ['itself', `\n  - {name: a, extends: a}`, ['2 cube "a" would extend itself']],
    [
      'a broken member of the other cube',
      `${ORDERS.replace('{orders}.region', '{orders}.regio')}\n  - {name: again, extends: orders}`,
      ['11 unknown column "regio" region', '12 unknown column "regio" region'],
    ],
    [
      'a member over what the heir does not read',
      `${ORDERS}\n  - {name: old, extends: orders, sql_table: raw.old_orders}`,
      [
        '16 unknown column "customer_id", as cube "old" takes it over',
        '13 unknown column "made_at", as cube "old" takes it over',
      ],
    ],
    [
      'nothing to read, though it is public',
      `\n  - {name: counted, measures: [{name: count, type: count}]}\n  - {name: old, extends: counted}`,
      ['2 a cube needs exactly one of sql, sql_table and model'],
    ],
    [
      'a join to a template',
      `\n  - {name: t, public: false}\n  - {name: u, extends: t, sql_table: raw.orders, joins: [{name: t, relationship: many_to_one, sql: "1 = 1"}]}`,
      ['3 unknown cube "t" u'],
    ],
    [
      'too long a line',
      Array.from(
        { length: 23 },
        (_, at) => `\n  - {name: c${String(at)}, extends: c${String(at + 1)}}`,
      ).join('') + '\n  - {name: c23, sql_table: raw.orders}',
      ['22 more than 20 cubes extend each other'],
    ],
  ])('%s', (_, cubes, expected) => {
    expect(problems(cubes)).toEqual(expected)
  })
})
