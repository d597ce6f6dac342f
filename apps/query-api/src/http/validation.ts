import { StandardSchemaValidationPipe } from '@nestjs/common'
import { type ErrorDetail, invalidRequest } from '@olytix/errors'

interface Issue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
  /** zod's: the keys that an object should not have; `path` is the object's. */
  readonly keys?: readonly string[]
}

/** Checks `@Body({ schema })` and its kin; all problems come back at once as INVALID_REQUEST. */
export function validationPipe(): StandardSchemaValidationPipe {
  return new StandardSchemaValidationPipe({
    exceptionFactory: (issues: readonly Issue[]) => invalidRequest(issues.flatMap(toDetails)),
  })
}

function toDetails({ path = [], message, keys }: Issue): ErrorDetail[] {
  if (!keys) return [{ path: pathText(path), message }]
  return keys.map((key) => ({ path: pathText([...path, key]), message: 'unknown key' }))
}

/** `filters[0].operator` */
export function pathText(path: NonNullable<Issue['path']>): string {
  return path.reduce<string>((text, segment) => {
    const key = typeof segment === 'object' ? segment.key : segment
    if (typeof key === 'number') return `${text}[${String(key)}]`
    return text === '' ? String(key) : `${text}.${String(key)}`
  }, '')
}
