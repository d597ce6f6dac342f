import type { Principal } from '@olytix/auth-guards'
import { forbidden } from '@olytix/errors'
import {
  isUserValue,
  type PolicyCondition,
  type PolicyLiteral,
  type PolicyOperand,
  type UserValue,
} from '../project/policy-language.js'
import type { DimensionType } from '../project/project.js'
import type { RowCondition, RowValue, Test, Value } from '../semantics/condition.js'
import { formatLocalTime, parseTime } from '../semantics/local-time.js'
import type { SourceNode } from '../semantics/query-plan.js'

/** One condition that compares a dimension. */
type Comparison = Exclude<PolicyCondition, { readonly kind: 'and' | 'or' | 'not' }>

/**
 * What a policy's filter is for one principal: their attributes become bound values.
 * @throws AppError FORBIDDEN when the principal lacks an attribute, or has it empty or in another type
 */
export function toPredicate(
  condition: PolicyCondition,
  source: SourceNode,
  principal: Principal,
): RowCondition {
  if (condition.kind === 'and' || condition.kind === 'or') {
    const conditions = condition.conditions.map((each) => toPredicate(each, source, principal))
    return { kind: condition.kind, conditions }
  }
  if (condition.kind === 'not') {
    return { kind: 'sqlNot', condition: toPredicate(condition.condition, source, principal) }
  }
  const dimension = source.cube.dimensions[condition.dimension]
  if (!dimension) throw forbidden(`a policy names ${condition.dimension}, which is gone`)
  const { expression, type } = dimension
  const subject: RowValue = { alias: source.alias, expression, type, isInUtc: true }
  return comparison(condition, subject, principal)
}

function comparison(condition: Comparison, subject: RowValue, principal: Principal): RowCondition {
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
