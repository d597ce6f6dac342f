import type { Statement } from '@olytix/postgres'
import { Slot } from '../semantics/condition.js'
import type { LateValues } from '../semantics/late-values.js'

/** A statement in which the values of the question are missing: it serves every question of the same shape. */
export class StatementTemplate {
  constructor(private readonly statement: Statement) {}

  /** The statement for one question. @throws Error when a value is missing */
  bind(late: LateValues): Statement {
    const { text, values } = this.statement
    return {
      text,
      values: values.map((value) => (value instanceof Slot ? at(late, value) : value)),
    }
  }
}

function at(late: LateValues, { test, position }: Slot): unknown {
  const value = late[test]?.[position]
  if (value === undefined)
    throw new Error('a statement must be bound to all values of its question')
  return value
}
