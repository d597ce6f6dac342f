import { StandardSchemaValidationPipe } from '@nestjs/common'
import { invalidRequest } from '@olytix/errors'

interface Issue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** Checks `@Body({ schema })` and its kin; all problems come back at once as INVALID_REQUEST. */
export function validationPipe(): StandardSchemaValidationPipe {
  return new StandardSchemaValidationPipe({
    exceptionFactory: (issues: readonly Issue[]) =>
      invalidRequest(issues.map(({ path = [], message }) => ({ path: pathText(path), message }))),
  })
}

/** `filters[0].operator` */
export function pathText(path: NonNullable<Issue['path']>): string {
  return path.reduce<string>((text, segment) => {
    const key = typeof segment === 'object' ? segment.key : segment
    if (typeof key === 'number') return `${text}[${String(key)}]`
    return text === '' ? String(key) : `${text}.${String(key)}`
  }, '')
}
