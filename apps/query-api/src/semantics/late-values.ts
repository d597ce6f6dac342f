import { type FilterLeaf, filterLeaves } from '../project/filter-shape.js'
import { type Bound, Slot, type Test, type Value } from './condition.js'
import { FilterProblem } from './filter-problem.js'
import { type Comparand, toTest } from './operators.js'
import type { QueryRequest } from './query-request.js'
import { rangeOf, TIME_RANGE } from './time-range.js'

/** A comparison with a value of the question, whose place in the plan is kept by slots. */
export interface LateTest {
  /** Which comparison of the question, in its order; the range comes last. */
  readonly leaf: number
  readonly comparand: Comparand
  /** Of the test, without its values: with another one the plan would be another. */
  readonly shape: string
}

/** Values for the slots of a plan: by test, then by position. */
export type LateValues = readonly (readonly Bound[])[]

/**
 * The comparisons of one question. In its plan slots stand for their values, so that the plan serves every question that
 * differs in nothing else.
 */
export class LateTests {
  readonly found: LateTest[] = []
  private readonly numbers = new Map<string, number>()
  private readonly leaves: ReadonlyMap<FilterLeaf, number>

  constructor(private readonly request: QueryRequest) {
    this.leaves = new Map(filterLeaves(request.filters).map((leaf, index) => [leaf, index]))
  }

  /**
   * The test that a filter means, with slots for values that come from the question.
   * @throws FilterProblem
   */
  test(leaf: FilterLeaf, path: string, comparand: Comparand): Test {
    const test = toTest(leaf, comparand)
    const place = path === TIME_RANGE ? leavesOf(this.request).length - 1 : this.leaves.get(leaf)
    if (place === undefined) return test
    const { type, granularity } = comparand
    const key = `${String(place)} ${type} ${granularity ?? ''}`
    const number = this.numbers.get(key) ?? this.found.length
    if (number === this.found.length) {
      this.found.push({ leaf: place, comparand: { type, granularity }, shape: shapeOf(test) })
      this.numbers.set(key, number)
    }
    let position = 0
    return withSlots(test, () => new Slot(number, position++))
  }
}

/**
 * The values of a question for the slots of a plan; `undefined` when one of them is no value for this plan, or none at
 * all: then the question must be planned by itself.
 */
export function lateValues(
  tests: readonly LateTest[],
  request: QueryRequest,
): LateValues | undefined {
  const leaves = leavesOf(request)
  const values: (readonly Bound[])[] = []
  for (const { leaf, comparand, shape } of tests) {
    const test = testOf(leaves[leaf], comparand)
    if (!test || shapeOf(test) !== shape) return undefined
    values.push(valuesOf(test))
  }
  return values
}

/** Every comparison of a question, its range last. */
function leavesOf(request: QueryRequest): FilterLeaf[] {
  const range = rangeOf(request)
  return [...filterLeaves(request.filters), ...(range ? [range.node] : [])]
}

function testOf(leaf: FilterLeaf | undefined, comparand: Comparand): Test | undefined {
  try {
    return leaf && toTest(leaf, comparand)
  } catch (error) {
    if (error instanceof FilterProblem) return undefined
    throw error
  }
}

function shapeOf(test: Test): string {
  return JSON.stringify(withSlots(test, () => ANY))
}

const ANY = new Slot(0, 0)

/** The same test of values that are not there yet. */
function withSlots(test: Test, slot: () => Slot): Test {
  const late = ({ type }: Value): Value => ({ type, value: slot() })
  switch (test.kind) {
    case 'compare':
    case 'differs':
      return { ...test, value: late(test.value) }
    case 'between':
      return { ...test, low: late(test.low), high: late(test.high) }
    case 'period':
      return { ...test, from: optional(test.from, late), to: optional(test.to, late) }
    case 'in':
      return { ...test, values: slot() }
    case 'periods':
      return { ...test, starts: slot() }
    case 'like':
      return { ...test, pattern: slot() }
    default:
      return test
  }
}

function optional(value: Value | undefined, late: (value: Value) => Value): Value | undefined {
  return value && late(value)
}

/** The values of a test, in the order of their slots. */
function valuesOf(test: Test): readonly Bound[] {
  switch (test.kind) {
    case 'compare':
    case 'differs':
      return [test.value.value]
    case 'between':
      return [test.low.value, test.high.value]
    case 'period':
      return [test.from, test.to].flatMap((end) => (end ? [end.value] : []))
    case 'in':
      return [test.values]
    case 'periods':
      return [test.starts]
    case 'like':
      return [test.pattern]
    default:
      return []
  }
}
