import type { FilterLeaf, FilterNode, Operator } from '../../src/project/filter-shape.js'
import { cellOf, lookUp, type Seen, type Setting, timeOf } from './naive-rows.js'
import { floorTo, span, sprintStart } from './naive-time.js'
import { type Cell, compareCells } from './shop.js'

/** What a comparison is about: a cell, or a time (of a period the beginning). */
export type Subject = { readonly cell: Cell } | { readonly ms: number | undefined }

/** Whether a tree holds. Nothing is unknown: a comparison with null is false, or true if it negates. */
export function holds(node: FilterNode, find: (leaf: FilterLeaf) => Subject): boolean {
  if ('and' in node) return node.and.every((each) => holds(each, find))
  if ('or' in node) return node.or.some((each) => holds(each, find))
  if ('not' in node) return !holds(node.not, find)
  const subject = find(node)
  return 'cell' in subject ? cellHolds(node, subject.cell) : timeHolds(node, subject.ms)
}

/** What a filter on a row compares. */
export function rowSubject(setting: Setting, seen: Seen, name: string): Subject {
  const named = lookUp(name, seen.cube, seen.time)
  const isTime = (named.kind === 'time' || named.kind === 'instant') && named.part === undefined
  if (!isTime) return { cell: cellOf(setting, seen, named) }
  const ms = timeOf(setting, seen, named)
  if (named.isSprint) return { ms: ms === undefined ? undefined : sprintStart(ms) }
  return { ms: ms !== undefined && named.grain ? floorTo(ms, named.grain) : ms }
}

type Positive = Exclude<Operator, 'notEquals' | 'notInList' | 'notContains' | 'notSet'>

/** Negations hold for whatever their opposite does not hold for. */
const OPPOSITES: Readonly<Partial<Record<Operator, Positive>>> = {
  notEquals: 'equals',
  notInList: 'inList',
  notContains: 'contains',
  notSet: 'set',
}

function isPositive(operator: Operator): operator is Positive {
  return OPPOSITES[operator] === undefined
}

function cellHolds({ operator, value }: FilterLeaf, cell: Cell): boolean {
  if (!isPositive(operator)) {
    return !cellHolds({ operator: OPPOSITES[operator] ?? 'set', value }, cell)
  }
  if (cell === null) return false
  const values: readonly Cell[] = Array.isArray(value) ? value : [value ?? null]
  const [first = null, second = null] = values
  const text = String(cell).toLowerCase()
  const part = String(first).toLowerCase()
  const tests: Readonly<Record<Positive, () => boolean>> = {
    set: () => true,
    equals: () => cell === first,
    inList: () => values.includes(cell),
    contains: () => text.includes(part),
    startsWith: () => text.startsWith(part),
    endsWith: () => text.endsWith(part),
    gt: () => compareCells(cell, first) > 0,
    gte: () => compareCells(cell, first) >= 0,
    lt: () => compareCells(cell, first) < 0,
    lte: () => compareCells(cell, first) <= 0,
    between: () => compareCells(cell, first) >= 0 && compareCells(cell, second) <= 0,
  }
  return tests[operator]()
}

/** A written period means all of it; a period of a dimension counts by its beginning. */
function timeHolds({ operator, value }: FilterLeaf, at: number | undefined): boolean {
  if (!isPositive(operator)) {
    return !timeHolds({ operator: OPPOSITES[operator] ?? 'set', value }, at)
  }
  if (at === undefined) return false
  const spans = (Array.isArray(value) ? value : [value]).map((text) => span(String(text)))
  const isIn = ([from, to]: readonly [number, number]): boolean => at >= from && at < to
  const [[from, to] = [0, 0], [, end] = [0, 0]] = spans
  const tests: Readonly<Partial<Record<Positive, () => boolean>>> = {
    set: () => true,
    equals: () => spans.some(isIn),
    inList: () => spans.some(isIn),
    gt: () => at >= to,
    gte: () => at >= from,
    lt: () => at < from,
    lte: () => at < to,
    between: () => at >= from && at < end,
  }
  return tests[operator]?.() ?? false
}
