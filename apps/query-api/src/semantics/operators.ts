import type { FilterLeaf, Operator, Scalar } from '../project/filter-shape.js'
import { type DimensionType, GRANULARITIES, type Granularity } from '../project/project.js'
import type { Comparison, GivenValue as Value, Test } from './condition.js'
import { FilterProblem } from './filter-problem.js'
import { timeTest } from './time-test.js'

/** What a filter compares with. */
export interface Comparand {
  readonly type: DimensionType
  readonly granularity: Granularity | undefined
}

const ANY: readonly Operator[] = ['equals', 'notEquals', 'inList', 'notInList', 'set', 'notSet']
const ORDERED: readonly Operator[] = [...ANY, 'gt', 'gte', 'lt', 'lte', 'between']
const TEXTUAL: readonly Operator[] = ['contains', 'notContains', 'startsWith', 'endsWith']

/** Which operators fit which type. */
export const OPERATORS_BY_TYPE: Readonly<Record<DimensionType, readonly Operator[]>> = {
  string: [...ORDERED, ...TEXTUAL],
  number: ORDERED,
  boolean: ANY,
  time: ORDERED,
}

const EXPECTED: Readonly<Record<DimensionType, string>> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  time: 'a time such as "2016", "2016-01", "2016-01-31" or "2016-01-31T13:00:00"',
}

/**
 * The test that a filter's operator and value mean for something of this type.
 * @throws FilterProblem
 */
export function toTest(leaf: FilterLeaf, comparand: Comparand): Test {
  const { operator } = leaf
  const { type } = comparand
  if (!OPERATORS_BY_TYPE[type].includes(operator)) {
    const known = OPERATORS_BY_TYPE[type].join(', ')
    throw new FilterProblem('operator', `${operator} does not fit a ${type}; it takes ${known}`)
  }
  if (leaf.last) return recentTest(leaf.last, type)
  const values = valuesOf(leaf)
  if (operator === 'set' || operator === 'notSet') {
    return { kind: 'null', isNegated: operator === 'set' }
  }
  if (type === 'time') {
    return timeTest(operator, values.map(timeText), comparand.granularity)
  }
  return BUILDERS[operator](values.map((value) => bound(value, type)))
}

function recentTest({ count, unit }: NonNullable<FilterLeaf['last']>, type: DimensionType): Test {
  const known = GRANULARITIES.find((each) => each === unit)
  if (known && type === 'time') return { kind: 'recent', count, unit: known }
  const message = `expected a number of ${GRANULARITIES.join(', ')}, such as "12 months", of a time`
  throw new FilterProblem('last', message)
}

/** The values of a filter: none, one, two or a list, as the operator takes them. */
function valuesOf({ operator, value }: FilterLeaf): readonly Scalar[] {
  const arity = ARITIES[operator] ?? 'one'
  const given = value === undefined ? [] : isList(value) ? value : [value]
  const isFitting = isList(value) === (arity === 'two' || arity === 'many')
  if (!isFitting || !COUNTS[arity].fits(given.length)) {
    throw new FilterProblem('value', `${operator} takes ${COUNTS[arity].expected}`)
  }
  return given
}

const ARITIES: Readonly<Partial<Record<Operator, keyof typeof COUNTS>>> = {
  set: 'none',
  notSet: 'none',
  between: 'two',
  inList: 'many',
  notInList: 'many',
}

const COUNTS = {
  none: { expected: 'no value', fits: (count: number) => count === 0 },
  one: { expected: 'one value', fits: (count: number) => count === 1 },
  two: { expected: '[from, to]', fits: (count: number) => count === 2 },
  many: { expected: 'a list of values, not empty', fits: (count: number) => count > 0 },
}

function isList(value: FilterLeaf['value']): value is readonly Scalar[] {
  return Array.isArray(value)
}

/** A year may be written as a number. */
function timeText(value: Scalar): string {
  if (typeof value === 'number' && Number.isInteger(value)) return String(value).padStart(4, '0')
  if (typeof value === 'string') return value
  throw new FilterProblem('value', `expected ${EXPECTED.time}`)
}

function bound(value: Scalar, type: DimensionType): Value {
  if (type === 'string' && typeof value === 'string') return { type: 'text', value }
  if (type === 'boolean' && typeof value === 'boolean') return { type, value }
  if (type === 'number') return boundNumber(value)
  const suggestion = type === 'string' ? JSON.stringify(String(value)) : undefined
  throw new FilterProblem('value', `expected ${EXPECTED[type]}`, suggestion)
}

/** A number may be written as a text when it has more digits than JSON's numbers carry. */
function boundNumber(value: Scalar): Value {
  const text = typeof value === 'boolean' ? '' : String(value)
  if (typeof value === 'number' && Number.isSafeInteger(value))
    return { type: 'bigint', value: text }
  if (/^-?\d{1,100}(\.\d{1,100})?(e[+-]?\d{1,3})?$/i.test(text)) {
    return { type: 'numeric', value: text }
  }
  throw new FilterProblem('value', `expected ${EXPECTED.number}`)
}

type Builder = (values: readonly Value[]) => Test

const BUILDERS: Readonly<Record<Exclude<Operator, 'set' | 'notSet'>, Builder>> = {
  equals: compare('='),
  notEquals: ([value]) => ({ kind: 'differs', value: required(value) }),
  gt: compare('>'),
  gte: compare('>='),
  lt: compare('<'),
  lte: compare('<='),
  contains: like((text) => `%${text}%`, false),
  notContains: like((text) => `%${text}%`, true),
  startsWith: like((text) => `${text}%`, false),
  endsWith: like((text) => `%${text}`, false),
  between: ([low, high]) => between(required(low), required(high)),
  inList: (values) => list(values, false),
  notInList: (values) => list(values, true),
}

function compare(operator: Comparison): Builder {
  return ([value]) => ({ kind: 'compare', operator, value: required(value) })
}

/** `%`, `_` and backslash in a value are ordinary characters. */
function like(pattern: (text: string) => string, isNegated: boolean): Builder {
  return ([value]) => {
    const text = String(required(value).value).replace(/[\\%_]/g, '\\$&')
    return { kind: 'like', pattern: pattern(text), isNegated }
  }
}

function between(low: Value, high: Value): Test {
  if (low.type !== 'text' && Number(low.value) > Number(high.value)) {
    throw new FilterProblem('value', 'the first value is greater than the second')
  }
  return { kind: 'between', low, high }
}

function list(values: readonly Value[], isNegated: boolean): Test {
  const types = new Set(values.map(({ type }) => type))
  const type = types.has('numeric') ? 'numeric' : required(values[0]).type
  return { kind: 'in', type, values: values.map(({ value }) => value), isNegated }
}

function required(value: Value | undefined): Value {
  if (value === undefined) throw new Error('the number of values is checked beforehand')
  return value
}
