import type { AttributeValue } from '@olytix/auth-guards'
import type { AttributeValue as WireAttribute } from '@olytix/proto'
import { z } from 'zod'
import { ATTRIBUTE_NAME, attributeValue, fromWire, MAX_LIST } from './attributes.js'

const MAX_ATTRIBUTES = 100

const attribute = z.custom<WireAttribute>().transform((value, context): AttributeValue => {
  const parsed = attributeValue.safeParse(fromWire(value))
  if (parsed.success) return parsed.data
  context.addIssue({
    code: 'custom',
    message: `must be text, a finite number, true or false, or a list of at most ${String(MAX_LIST)} of them`,
  })
  return z.NEVER
})

/** Attributes for row-level policies, as a message carries them. */
export const wireAttributes = z
  .record(z.string(), attribute)
  .refine(
    (value) => Object.keys(value).every((name) => ATTRIBUTE_NAME.test(name)),
    'names consist of a-z, 0-9 and _, do not start with a digit and have at most 63 characters',
  )
  .refine(
    (value) => Object.keys(value).length <= MAX_ATTRIBUTES,
    `has at most ${String(MAX_ATTRIBUTES)} entries`,
  )
