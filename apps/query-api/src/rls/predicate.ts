import type { Principal } from '@olytix/auth-guards'
import { forbidden } from '@olytix/errors'
import {
  isUserValue,
  type PolicyCondition,
  type PolicyLiteral,
  type PolicyOperand,
  type PolicyTest,
  type UserValue,
} from '../project/policy-language.js'
import type { DimensionType, Project } from '../project/project.js'
import type {
  GivenValue as Value,
  Partner,
  RowCondition,
  RowValue,
  Test,
} from '../semantics/condition.js'
import { formatLocalTime, parseTime } from '../semantics/local-time.js'
import type { SourceNode } from '../semantics/query-plan.js'
import { partnersOf } from './partners.js'

/** Whose rows a policy is about, and where the rows are that they are joined to. */
interface Subject {
  readonly source: SourceNode
  readonly project: Pick<Project, 'cubes'>
  readonly principal: Principal
}

/**
 * What a policy's filter is for one principal: their attributes become bound values. `not` stands at single tests only,
 * so that a row without a partner passes no test of the partner, negated or not.
 * @param subject cubes without masks
 * @throws AppError FORBIDDEN when the principal lacks an attribute, or has it empty or in another type
 */
export function toPredicate(
  condition: PolicyCondition,
  subject: Subject,
  isNegated = false,
): RowCondition {
  switch (condition.kind) {
    case 'not':
      return toPredicate(condition.condition, subject, !isNegated)
    case 'and':
    case 'or': {
      const conditions = condition.conditions.map((each) => toPredicate(each, subject, isNegated))
      const isAnd = (condition.kind === 'and') !== isNegated
      return isAnd
        ? { kind: 'and', conditions: ofSamePartners(conditions) }
        : { kind: 'or', conditions }
    }
    default: {
      const partners = partnersOf(condition, subject)
      const test = comparison(condition, subjectOf(condition, subject, partners), subject.principal)
      // An empty list gives no rows, `not in` it neither: who lost all values must not see everything.
      if (test.kind === 'never') return test
      const result: RowCondition = isNegated ? { kind: 'sqlNot', condition: test } : test
      return partners.length === 0 ? result : { kind: 'exists', partners, condition: result }
    }
  }
}

/** What must hold for a partner must hold for one partner, should there be several against the promise of a join. */
function ofSamePartners(conditions: readonly RowCondition[]): RowCondition[] {
  const byPartners = new Map<string, RowCondition>()
  conditions.forEach((condition, index) => {
    const isAlone = condition.kind !== 'exists'
    const key = isAlone ? String(index) : JSON.stringify(condition.partners)
    const before = byPartners.get(key)
    byPartners.set(key, isAlone || before?.kind !== 'exists' ? condition : both(before, condition))
  })
  return [...byPartners.values()]
}

function both<E extends Extract<RowCondition, { kind: 'exists' }>>(
  left: E,
  right: E,
): RowCondition {
  return { ...left, condition: { kind: 'and', conditions: [left.condition, right.condition] } }
}

function subjectOf(
  { dimension: name, through }: PolicyTest,
  { source, project }: Subject,
  partners: readonly Partner[],
): RowValue {
  const last = through.at(-1)
  const cube = last ? project.cubes[last.to] : source.cube
  const dimension = cube?.dimensions[name]
  if (!dimension) throw forbidden(`a policy names ${name}, which is gone`)
  const { expression, type } = dimension
  return { alias: partners.at(-1)?.alias ?? source.alias, expression, type, isInUtc: true }
}

function comparison(condition: PolicyTest, subject: RowValue, principal: Principal): RowCondition {
  const test = (result: Test): RowCondition => ({ kind: 'test', subject, test: result })
  const value = (operand: PolicyOperand): Value => valueOf(operand, subject.type, principal)
  switch (condition.kind) {
    case 'isNull':
      return test({ kind: 'null', isNegated: condition.isNegated })
    case 'compare':
      return test({
        kind: 'compare',
        operator: condition.operator,
        value: value(condition.operand),
      })
    case 'between':
      return test({ kind: 'between', low: value(condition.low), high: value(condition.high) })
    case 'in': {
      const values = listOf(condition.list, subject.type, principal)
      const [first] = values
      if (!first) return { kind: 'never' }
      const type = values.some((each) => each.type === 'numeric') ? 'numeric' : first.type
      return test({ kind: 'in', type, values: values.map((each) => each.value), isNegated: false })
    }
  }
}

function valueOf(operand: PolicyOperand, type: DimensionType, principal: Principal): Value {
  if (!isUserValue(operand)) return bound(operand.literal, type, 'a literal of a policy')
  return bound(attribute(operand, principal), type, describe(operand, principal))
}

function listOf(
  list: UserValue | readonly PolicyLiteral[],
  type: DimensionType,
  principal: Principal,
): Value[] {
  if (!isUserValue(list)) return list.map((each) => bound(each, type, 'a literal of a policy'))
  const values = attribute(list, principal)
  if (!Array.isArray(values)) throw forbidden(`${describe(list, principal)} is not a list`)
  return values.map((each: unknown) => bound(each, type, describe(list, principal)))
}

/** Own properties only: an attribute called `constructor` is not one that everybody has. */
function attribute({ user }: UserValue, principal: Principal): unknown {
  if (user === 'id') return principal.id
  if (user === 'email') return principal.email
  if (user === 'roles') return principal.roles
  return Object.hasOwn(principal.attributes, user) ? principal.attributes[user] : undefined
}

function bound(value: unknown, type: DimensionType, what: string): Value {
  const result = BINDERS[type](value)
  if (result) return result
  throw forbidden(`${what} is missing, empty or not a ${type}`)
}

const BINDERS: Readonly<Record<DimensionType, (value: unknown) => Value | undefined>> = {
  string: (value) => (isText(value) ? { type: 'text', value } : undefined),
  boolean: (value) => (typeof value === 'boolean' ? { type: 'boolean', value } : undefined),
  number: (value) => {
    if (typeof value !== 'number' || !Number.isFinite(value)) return undefined
    return { type: Number.isSafeInteger(value) ? 'bigint' : 'numeric', value: String(value) }
  },
  time: (value) => (isText(value) ? boundTime(value) : undefined),
}

/** A period stands for its beginning: a policy compares moments. */
function boundTime(text: string): Value | undefined {
  const time = parseTime(text)
  if (!time) return undefined
  if (time.kind === 'instant') return { type: 'timestamptz', value: time.text }
  const at = time.kind === 'period' ? time.from : time.at
  return { type: 'timestamp', value: formatLocalTime(at) }
}

function isText(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value !== '' &&
    !value.includes('\0') &&
    !/\p{Surrogate}/u.test(value)
  )
}

function describe({ user }: UserValue, principal: Principal): string {
  return `attribute ${user} of ${principal.id}`
}
