import { InvalidArgumentError } from 'commander'
import { parse } from 'lossless-json'

export type Attributes = Readonly<Record<string, unknown>>

/**
 * `region=West` as the text West; `level:=3`, `active:=true`, `regions:=["West","East"]` as JSON.
 * @throws InvalidArgumentError
 */
export function collectAttribute(text: string, before: Attributes = {}): Attributes {
  const [, name, assign, value] = /^([a-z_][a-z0-9_]{0,62})(:?=)(.*)$/s.exec(text) ?? []
  if (name === undefined || value === undefined) {
    throw new InvalidArgumentError(
      'Expected name=text or name:=json; a name is lower-case letters, digits and _.',
    )
  }
  if (Object.hasOwn(before, name)) {
    throw new InvalidArgumentError(`The attribute ${name} is given twice.`)
  }
  return { ...before, [name]: assign === ':=' ? parseJson(value) : value }
}

function parseJson(text: string): unknown {
  try {
    return parse(text)
  } catch {
    throw new InvalidArgumentError('What follows := must be JSON, as in level:=3.')
  }
}
