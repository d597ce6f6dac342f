import { joinSql, type Sql, sql, trusted } from '@olytix/postgres'
import { renderExists } from './render-exists.js'
import { bucket, stepBack } from './time-sql.js'
import { type Condition, Slot, type Test, type Value } from '../semantics/condition.js'

/** How the subjects of a condition are written. */
export interface Subjects<S> {
  /** As a value of its type: texts as `text`. */
  readonly value: (subject: S) => Sql
  /** As a condition of its own. */
  readonly holds: (subject: S) => Sql
  /** Compared as seconds in UTC. */
  readonly isEpoch: (subject: S) => boolean
}

/** A condition in parentheses where it needs them. Values are bound. */
export function renderCondition<S>(condition: Condition<S>, subjects: Subjects<S>): Sql {
  switch (condition.kind) {
    case 'and':
    case 'or': {
      const each = condition.conditions.map((inner) => renderCondition(inner, subjects))
      return sql`(${joinSql(each, ` ${condition.kind} `)})`
    }
    case 'not':
      return sql`((${renderCondition(condition.condition, subjects)}) is not true)`
    case 'sqlNot':
      return sql`(not ${renderCondition(condition.condition, subjects)})`
    case 'holds':
      return sql`(${subjects.holds(condition.subject)})`
    case 'never':
      return sql`false`
    case 'exists':
      return renderExists(condition.partners, renderCondition(condition.condition, subjects))
    case 'test': {
      const value = subjects.value(condition.subject)
      return subjects.isEpoch(condition.subject)
        ? renderTest(epoch(value), condition.test, epochBound)
        : renderTest(value, condition.test, bound)
    }
  }
}

type Bind = (value: Value) => Sql

function renderTest(subject: Sql, test: Test, bind: Bind): Sql {
  switch (test.kind) {
    case 'compare':
      return renderCompare(subject, test, bind)
    case 'differs':
      return sql`${subject} is distinct from ${bind(test.value)}`
    case 'between':
      return sql`${ordered(subject, test.low)} between ${bind(test.low)} and ${bind(test.high)}`
    case 'null':
      return sql`${subject} ${trusted(test.isNegated ? 'is not null' : 'is null')}`
    case 'like':
      return renderLike(subject, test)
    case 'in':
      return renderList(subject, test, bind)
    default:
      return renderTimes(subject, test, bind)
  }
}

type TimeTest = Extract<Test, { readonly kind: 'periods' | 'period' | 'recent' }>

function renderTimes(subject: Sql, test: TimeTest, bind: Bind): Sql {
  if (test.kind === 'periods') return renderPeriods(subject, test)
  if (test.kind === 'period') return renderPeriod(subject, test, bind)
  const present = bucket(sql`localtimestamp`, test.unit)
  return sql`(${subject} >= ${stepBack(present, test)} and ${subject} < ${present})`
}

function renderCompare(subject: Sql, test: Test & { kind: 'compare' }, bind: Bind): Sql {
  const isOrder = test.operator !== '=' && test.operator !== '<>'
  const left = isOrder ? ordered(subject, test.value) : subject
  return sql`${left} ${trusted(test.operator)} ${bind(test.value)}`
}

/** Texts are compared by code points, as they are sorted, whatever the database's collation is. */
function ordered(subject: Sql, { type }: Value): Sql {
  return type === 'text' ? sql`${subject} collate "C"` : subject
}

function renderLike(subject: Sql, { pattern, isNegated }: Test & { kind: 'like' }): Sql {
  const operator = trusted(isNegated ? 'not ilike' : 'ilike')
  return orNull(subject, sql`${subject} ${operator} ${pattern}::text`, isNegated)
}

function renderPeriods(subject: Sql, { unit, starts, isNegated }: Test & { kind: 'periods' }): Sql {
  const list = sql`${starts}::timestamp[]`
  const start = bucket(subject, unit)
  const found = isNegated ? sql`${start} <> all(${list})` : sql`${start} = any(${list})`
  return orNull(subject, found, isNegated)
}

function renderList(subject: Sql, test: Test & { kind: 'in' }, bind: Bind): Sql {
  if (bind === epochBound) {
    if (test.values instanceof Slot) throw new Error('only policies compare seconds in UTC')
    const each = test.values.map((value) => sql`${subject} = ${bind({ type: test.type, value })}`)
    return sql`(${joinSql(each, ' or ')})`
  }
  const list = sql`${test.values}::${trusted(test.type)}[]`
  const found = test.isNegated ? sql`${subject} <> all(${list})` : sql`${subject} = any(${list})`
  return orNull(subject, found, test.isNegated)
}

function renderPeriod(subject: Sql, test: Test & { kind: 'period' }, bind: Bind): Sql {
  const ends = [
    ...(test.from ? [sql`${subject} >= ${bind(test.from)}`] : []),
    ...(test.to ? [sql`${subject} < ${bind(test.to)}`] : []),
  ]
  const inside = sql`(${joinSql(ends, ' and ')})`
  return test.isNegated ? sql`(not ${inside} or ${subject} is null)` : inside
}

/** Negatives keep rows without a value. */
function orNull(subject: Sql, condition: Sql, isNegated: boolean): Sql {
  return isNegated ? sql`(${condition} or ${subject} is null)` : condition
}

function bound({ type, value }: Value): Sql {
  return sql`${value}::${trusted(type)}`
}

function epochBound(value: Value): Sql {
  return epoch(bound(value))
}

/** Of a date or timestamp the seconds as if it were UTC, of a timestamptz the true ones: no zone has a say. */
function epoch(value: Sql): Sql {
  return sql`extract(epoch from ${value})`
}
