import type { AttributeValue } from '@olytix/auth-guards'
import type { AttributeValue as WireAttribute } from '@olytix/proto'
import { z } from 'zod'
import { ATTRIBUTE_NAME, fromWire } from './attributes.js'
import { plainText } from './message-text.js'

const MAX_ATTRIBUTES = 100
const MAX_LIST = 1000

const attribute = z.custom<WireAttribute>().transform((value, context): AttributeValue => {
  const parsed = fromWire(value)
  const texts = [parsed].flat().filter((element) => typeof element === 'string')
  if (parsed !== undefined && texts.every((element) => plainText.safeParse(element).success)) {
    if (typeof parsed !== 'object' || parsed.length <= MAX_LIST) return parsed
  }
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
