import type { AttributeValue } from '@olytix/auth-guards'
import type { AttributeValue as WireAttribute } from '@olytix/proto'
import { z } from 'zod'
import { plainText } from './message-text.js'

/** Attributes for row-level policies, by name. */
export type Attributes = Readonly<Record<string, AttributeValue>>

export const ATTRIBUTE_NAME = /^[a-z_][a-z0-9_]{0,62}$/

/** Elements of an attribute that is a list, at most. */
export const MAX_LIST = 1000

const given = z.union([plainText, z.number(), z.boolean()])

/** What an attribute may be set to. */
export const attributeValue = z.union([given, z.array(given).max(MAX_LIST)])

const scalar = z.union([z.string(), z.number(), z.boolean()])

/** Attributes as the database holds them. */
export const storedAttributes = z.record(z.string(), z.union([scalar, z.array(scalar)]))

/** @returns `undefined` for a value that is empty, not finite, or a list of lists */
export function fromWire(value: WireAttribute): AttributeValue | undefined {
  if (!value.listValue) return scalarFromWire(value)
  const elements = value.listValue.values.map(scalarFromWire)
  const present = elements.filter((element) => element !== undefined)
  return present.length === elements.length ? present : undefined
}

export function attributesToWire(attributes: Attributes): Record<string, WireAttribute> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, toWire(value)]),
  )
}

function toWire(value: AttributeValue): WireAttribute {
  return typeof value === 'object'
    ? { listValue: { values: value.map(scalarToWire) } }
    : scalarToWire(value)
}

function scalarFromWire(value: WireAttribute): string | number | boolean | undefined {
  const found = value.stringValue ?? value.numberValue ?? value.booleanValue
  return typeof found === 'number' && !Number.isFinite(found) ? undefined : found
}

function scalarToWire(value: string | number | boolean): WireAttribute {
  if (typeof value === 'string') return { stringValue: value }
  return typeof value === 'number' ? { numberValue: value } : { booleanValue: value }
}
