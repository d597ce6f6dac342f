import type { AttributeValue as Attribute } from '@olytix/auth-guards'
import { AttributeValue } from '@olytix/proto'
import { z } from 'zod'

const Scalar = z.union([z.string().max(1000), z.number(), z.boolean()], {
  error: 'must be a string, a number, true or false, or a list of these',
})

/** `{"region": "West", "tiers": ["gold", "silver"]}` */
export const Attributes = z
  .record(
    z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/, 'must be lower case: letters, digits and _'),
    z.union([Scalar, z.array(Scalar).max(10_000)], {
      error: 'must be a string, a number, true or false, or a list of these',
    }),
  )
  .transform((attributes) =>
    Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, toWire(value)])),
  )

function toWire(value: Attribute): AttributeValue {
  if (Array.isArray(value)) {
    return AttributeValue.create({
      listValue: { values: value.map((each: Attribute) => toWire(each)) },
    })
  }
  if (typeof value === 'string') return AttributeValue.create({ stringValue: value })
  if (typeof value === 'number') return AttributeValue.create({ numberValue: value })
  return AttributeValue.create({ booleanValue: value === true })
}

/** Attributes as JSON shows them. */
export function attributesToJson(
  attributes: Record<string, AttributeValue>,
): Record<string, unknown> {
  return attributesFromWire(attributes)
}

/** Attributes as policies compare with them. */
export function attributesFromWire(
  attributes: Record<string, AttributeValue>,
): Record<string, Attribute> {
  const read = Object.entries(attributes).flatMap(([name, value]): [string, Attribute][] => {
    const attribute = value.listValue
      ? value.listValue.values.flatMap(scalarOf)
      : scalarOf(value)[0]
    return attribute === undefined ? [] : [[name, attribute]]
  })
  return Object.fromEntries(read)
}

function scalarOf(value: AttributeValue): (string | number | boolean)[] {
  const scalar = value.stringValue ?? value.numberValue ?? value.booleanValue
  return scalar === undefined ? [] : [scalar]
}
