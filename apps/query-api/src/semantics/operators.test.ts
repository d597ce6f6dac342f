import { describe, expect, test } from '@jest/globals'
import { OPERATORS } from '../project/filter-shape.js'
import { DIMENSION_TYPES, type DimensionType, type Granularity } from '../project/project.js'
import { FilterProblem } from './filter-problem.js'
import { OPERATORS_BY_TYPE, toTest } from './operators.js'

type Leaf = Parameters<typeof toTest>[0]

const against = (type: DimensionType, granularity?: Granularity) => ({ type, granularity })

describe('what fits', () => {
  test('every operator fits some type, and every type takes set and notSet', () => {
    const used = new Set(DIMENSION_TYPES.flatMap((type) => OPERATORS_BY_TYPE[type]))
    expect([...used].sort()).toEqual([...OPERATORS].sort())
    for (const type of DIMENSION_TYPES) {
      expect(OPERATORS_BY_TYPE[type]).toEqual(expect.arrayContaining(['set', 'notSet']))
    }
  })

  test.each<[DimensionType, Leaf['operator'], Leaf['value'], [string, string]]>([
    ['number', 'contains', 'x', ['operator', 'contains does not fit a number']],
    ['boolean', 'gt', true, ['operator', 'gt does not fit a boolean']],
    ['time', 'startsWith', '2016', ['operator', 'startsWith does not fit a time']],
    ['string', 'equals', 5, ['value', 'expected a text']],
    ['string', 'equals', ['a'], ['value', 'equals takes one value']],
    ['string', 'equals', undefined, ['value', 'equals takes one value']],
    ['string', 'set', 'a', ['value', 'set takes no value']],
    ['string', 'inList', 'a', ['value', 'inList takes a list of values']],
    ['string', 'inList', [], ['value', 'inList takes a list of values']],
    ['number', 'equals', 'ten', ['value', 'expected a number']],
    ['number', 'equals', true, ['value', 'expected a number']],
    ['number', 'equals', '1; drop table x', ['value', 'expected a number']],
    ['number', 'between', [1], ['value', 'between takes [from, to]']],
    ['number', 'between', [1, 2, 3], ['value', 'between takes [from, to]']],
    ['number', 'between', [2, 1], ['value', 'the first value is greater']],
    ['boolean', 'equals', 'true', ['value', 'expected true or false']],
    ['time', 'equals', '2016-02-30', ['value', '"2016-02-30" is no time']],
    ['time', 'equals', true, ['value', 'expected a time']],
    ['time', 'between', ['2016', '2015'], ['value', 'the first time is later']],
    ['time', 'inList', ['2016-01-01', '2016'], ['value', 'write all times of a list']],
    ['time', 'between', ['2016-01-01T00:00Z', '2016'], ['value', 'write both ends']],
  ])('a %s cannot be asked with %s %j', (type, operator, value, [key, message]) => {
    let problem: unknown
    try {
      toTest({ operator, value }, against(type))
    } catch (error) {
      problem = error
    }
    expect(problem).toBeInstanceOf(FilterProblem)
    expect(problem).toMatchObject({ key, message: expect.stringContaining(message) })
  })
})

describe('what is bound', () => {
  test.each<[DimensionType, Leaf['operator'], Leaf['value'], object]>([
    [
      'string',
      'equals',
      "' or 1=1 --",
      { kind: 'compare', operator: '=', value: { type: 'text', value: "' or 1=1 --" } },
    ],
    ['string', 'notEquals', 'a', { kind: 'differs', value: { type: 'text', value: 'a' } }],
    [
      'string',
      'contains',
      '100%_\\',
      { kind: 'like', pattern: '%100\\%\\_\\\\%', isNegated: false },
    ],
    ['string', 'startsWith', 'a', { kind: 'like', pattern: 'a%', isNegated: false }],
    ['string', 'endsWith', 'a', { kind: 'like', pattern: '%a', isNegated: false }],
    ['string', 'notContains', 'a', { kind: 'like', pattern: '%a%', isNegated: true }],
    [
      'string',
      'notInList',
      ['a', 'b'],
      { kind: 'in', type: 'text', values: ['a', 'b'], isNegated: true },
    ],
    [
      'number',
      'equals',
      3,
      { kind: 'compare', operator: '=', value: { type: 'bigint', value: '3' } },
    ],
    [
      'number',
      'gt',
      -0.5,
      { kind: 'compare', operator: '>', value: { type: 'numeric', value: '-0.5' } },
    ],
    [
      'number',
      'gt',
      '9007199254740993.1',
      { kind: 'compare', operator: '>', value: { type: 'numeric', value: '9007199254740993.1' } },
    ],
    [
      'number',
      'inList',
      [1, 2.5],
      { kind: 'in', type: 'numeric', values: ['1', '2.5'], isNegated: false },
    ],
    [
      'boolean',
      'equals',
      false,
      { kind: 'compare', operator: '=', value: { type: 'boolean', value: false } },
    ],
    ['string', 'set', undefined, { kind: 'null', isNegated: true }],
    ['string', 'notSet', undefined, { kind: 'null', isNegated: false }],
  ])('%s %s %j', (type, operator, value, expected) => {
    expect(toTest({ operator, value }, against(type))).toEqual(expected)
  })
})

describe('a time means its whole period', () => {
  const range = (from?: string, to?: string, isNegated = false) => ({
    kind: 'period',
    from: from && { type: 'timestamp', value: `${from}T00:00:00` },
    to: to && { type: 'timestamp', value: `${to}T00:00:00` },
    isNegated,
  })

  test.each<[Granularity | undefined, Leaf['operator'], Leaf['value'], object]>([
    [undefined, 'equals', '2016-01-31', range('2016-01-31', '2016-02-01')],
    [undefined, 'notEquals', '2016-01-31', range('2016-01-31', '2016-02-01', true)],
    [undefined, 'gt', '2016-01-31', range('2016-02-01')],
    [undefined, 'gte', '2016-01-31', range('2016-01-31')],
    [undefined, 'lt', '2016-01-31', range(undefined, '2016-01-31')],
    [undefined, 'lte', '2016-01-31', range(undefined, '2016-02-01')],
    [undefined, 'between', ['2016-01-01', '2016-12-31'], range('2016-01-01', '2017-01-01')],
    [undefined, 'between', ['2016-Q1', '2016-Q2'], range('2016-01-01', '2016-07-01')],
    ['month', 'equals', '2016-01', range('2016-01-01', '2016-02-01')],
    ['month', 'equals', '2016-01-01', range('2016-01-01', '2016-02-01')],
    ['month', 'equals', '2016', range('2016-01-01', '2017-01-01')],
    ['month', 'gt', '2016-01', range('2016-02-01')],
    ['month', 'gt', '2016-01-15', range('2016-02-01')],
    ['month', 'gte', '2016-01-15', range('2016-02-01')],
    ['month', 'lte', '2016-01-15', range(undefined, '2016-02-01')],
    ['month', 'lt', '2016-01-01', range(undefined, '2016-01-01')],
    ['year', 'equals', 2016, range('2016-01-01', '2017-01-01')],
    ['year', 'between', [2015, '2016'], range('2015-01-01', '2017-01-01')],
    ['week', 'equals', '2016-02-29', range('2016-02-29', '2016-03-07')],
    [
      'month',
      'inList',
      ['2016-01', '2016-02-01'],
      {
        kind: 'periods',
        unit: 'month',
        starts: ['2016-01-01T00:00:00', '2016-02-01T00:00:00'],
        isNegated: false,
      },
    ],
    [
      undefined,
      'notInList',
      ['2016-01-31'],
      { kind: 'periods', unit: 'day', starts: ['2016-01-31T00:00:00'], isNegated: true },
    ],
    [
      undefined,
      'inList',
      ['2016-01-31T01:00'],
      { kind: 'in', type: 'timestamp', values: ['2016-01-31T01:00:00'], isNegated: false },
    ],
    [
      undefined,
      'lt',
      '2016-01-31T01:00:00.5',
      {
        kind: 'compare',
        operator: '<',
        value: { type: 'timestamp', value: '2016-01-31T01:00:00.500000' },
      },
    ],
    [
      undefined,
      'gte',
      '2016-01-31T01:00Z',
      {
        kind: 'compare',
        operator: '>=',
        value: { type: 'timestamptz', value: '2016-01-31T01:00Z' },
      },
    ],
  ])('%s %s %j', (granularity, operator, value, expected) => {
    expect(toTest({ operator, value }, against('time', granularity))).toEqual(expected)
  })

  test('a day in the middle of a month equals no month, which is said', () => {
    expect(() =>
      toTest({ operator: 'equals', value: '2016-01-15' }, against('time', 'month')),
    ).toThrow('that is not the beginning of a month; write "2016-01"')
  })
})
