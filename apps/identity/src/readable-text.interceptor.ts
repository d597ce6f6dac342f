import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common'
import { type ErrorDetail, invalidRequest } from '@olytix/errors'
import { UnreadableMessage } from '@olytix/proto'
import type { Observable } from 'rxjs'

/**
 * Refuses a request that holds text which cannot be stored, in any field of any call: U+0000, half a character, bytes
 * that are not UTF-8. Whatever comes behind needs no thought about it.
 */
@Injectable()
export class ReadableTextInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const message = context.switchToRpc().getData<unknown>()
    if (message instanceof UnreadableMessage) {
      throw invalidRequest([{ path: '', message: 'The message cannot be read' }])
    }
    const problems = textProblems(message, '')
    if (problems.length > 0) throw invalidRequest(problems)
    return next.handle()
  }
}

/** Every text that is none, by the names that JSON uses. */
export function textProblems(value: unknown, path: string): ErrorDetail[] {
  if (typeof value === 'string') return /[\0\p{Surrogate}]/u.test(value) ? [problemAt(path)] : []
  if (typeof value !== 'object' || value === null || value instanceof Date) return []
  return Object.entries(value).flatMap(([name, inner]) => {
    const place = Array.isArray(value) ? `${path}[${name}]` : `${path && `${path}.`}${snake(name)}`
    return [...textProblems(name, path), ...textProblems(inner, place)]
  })
}

/** JSON writes the value of an attribute as it is, without the name of its kind. */
function problemAt(place: string): ErrorDetail {
  const path = place.replaceAll(/\.list_value\.values|\.string_value/g, '')
  return { path, message: `${path} holds a character that is not text` }
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
