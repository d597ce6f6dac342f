import { ApiBody } from '@nestjs/swagger'
import { z } from 'zod'
import { OPERATORS } from '../../project/filter-shape.js'
import { queryBody } from '../query.schemas.js'

const reference = (name: string) => ({ $ref: `#/components/schemas/${name}` })

/** Says in the description of the API that a route takes a question. */
export function TakesQuestion(): MethodDecorator {
  return ApiBody({ schema: reference('Question') })
}

/** A question and what it is made of, by name, as JSON Schema. */
export function questionSchemas() {
  const { $schema: _, ...question } = z.toJSONSchema(queryBody, { io: 'input' })
  const filters = { type: 'array', items: reference('Filter'), default: [] }
  return {
    Question: { ...question, properties: { ...question.properties, filters } },
    Filter: FILTER,
    Comparison: COMPARISON,
  }
}

/** The tree is checked by hand at run time (its depth is bounded before it is read), so that it is described by hand. */
const FILTER = {
  anyOf: [
    reference('Comparison'),
    branch('and', { type: 'array', items: reference('Filter'), minItems: 1 }),
    branch('or', { type: 'array', items: reference('Filter'), minItems: 1 }),
    branch('not', reference('Filter')),
  ],
}

const SCALAR = { type: ['string', 'number', 'boolean'] }

const COMPARISON = {
  type: 'object',
  description: 'Compares a dimension (rows) or a metric (groups).',
  properties: {
    dimension: { type: 'string', examples: ['orders.region'] },
    metric: { type: 'string', examples: ['monthly_revenue'] },
    operator: { enum: [...OPERATORS] },
    value: { anyOf: [SCALAR, { type: 'array', items: SCALAR, maxItems: 10_000 }] },
  },
  required: ['operator'],
  oneOf: [{ required: ['dimension'] }, { required: ['metric'] }],
}

function branch(name: string, schema: object) {
  return {
    type: 'object',
    properties: { [name]: schema },
    required: [name],
    additionalProperties: false,
  }
}
