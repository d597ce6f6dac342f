import { suggest } from '@olytix/errors'
import { z } from 'zod'

/** One way in which a value breaks its shape. */
export interface ShapeProblem {
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly suggestion: string | undefined
  /** The problem is the key at the end of `path`, not its value. */
  readonly isAboutKey: boolean
}

/** An object in which an unknown key is an error that names the nearest known one. */
export function strict<T extends z.ZodRawShape>(shape: T): z.ZodObject<T, z.core.$strict> {
  // The issue of zod does not say which keys are known: its message carries them to `shapeProblems`.
  const known = Object.keys(shape).join(' ')
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? known : undefined),
  })
}

/** What zod found, with near names. Parse with `reportInput: true`. */
export function shapeProblems(error: z.ZodError): ShapeProblem[] {
  return error.issues.flatMap((issue): ShapeProblem[] => {
    if (issue.code === 'unrecognized_keys') {
      const known = issue.message.split(' ')
      return issue.keys.map((key) => unknownKey([...issue.path, key], key, known))
    }
    const suggestion = nearest(issue)
    return [{ path: issue.path, message: describe(issue), suggestion, isAboutKey: false }]
  })
}

function unknownKey(
  path: readonly PropertyKey[],
  key: string,
  known: readonly string[],
): ShapeProblem {
  const message = `unknown key ${quote(key)}; known are ${known.join(', ')}`
  return { path, message, suggestion: suggest(key, known), isAboutKey: true }
}

function describe(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type' && issue.input === undefined) {
    return `missing; expected ${issue.expected}`
  }
  if (issue.code === 'invalid_value') {
    return `${shown(issue.input)}expected one of ${issue.values.map(String).join(', ')}`
  }
  return issue.message.replace(/^Invalid input: /, '')
}

function shown(input: unknown): string {
  if (input === undefined) return 'missing; '
  return typeof input === 'string' ? `unknown ${quote(input)}; ` : ''
}

function nearest(issue: z.core.$ZodIssue): string | undefined {
  if (issue.code !== 'invalid_value' || typeof issue.input !== 'string') return undefined
  return suggest(issue.input, issue.values.map(String))
}

/** A name of the input as it is shown in messages: short, and visibly a quotation. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name)
}

/** `filters[0].operator` */
export function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${String(key)}]`
    return text === '' ? String(key) : `${text}.${String(key)}`
  }, '')
}

/** Whether a parsed JSON or YAML value nests deeper than `limit` lists and objects. Looks no further than that. */
export function isDeeperThan(input: unknown, limit: number): boolean {
  if (typeof input !== 'object' || input === null) return false
  return limit === 0 || Object.values(input).some((child) => isDeeperThan(child, limit - 1))
}
