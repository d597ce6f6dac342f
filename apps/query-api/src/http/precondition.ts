import { createParamDecorator, type ExecutionContext } from '@nestjs/common'
import { invalidRequest } from '@olytix/errors'
import type { FastifyRequest } from 'fastify'
import type { Precondition } from '../definitions/precondition.js'

/** What a request wants to change, and in which state it must be. */
export interface Target {
  /** Of a route that has `:kind`. */
  readonly kind: string | undefined
  readonly name: string
  readonly precondition: Precondition
}

const TAG = /^"(\d{1,15})"$/

/** The `:name` of a route with If-Match and If-None-Match (RFC 9110 §13.1). @throws AppError INVALID_REQUEST for tags that are not ours */
export const NamedTarget = createParamDecorator(
  (_: undefined, context: ExecutionContext): Target => {
    const request = context
      .switchToHttp()
      .getRequest<FastifyRequest<{ Params: { name: string; kind?: string } }>>()
    const { headers, params } = request
    const precondition = parsePrecondition(headers['if-match'], headers['if-none-match'])
    return { kind: params.kind, name: params.name, precondition }
  },
)

function parsePrecondition(
  ifMatch: string | undefined,
  ifNoneMatch: string | undefined,
): Precondition {
  if (ifNoneMatch !== undefined && ifNoneMatch.trim() !== '*') {
    throw invalidRequest([{ path: 'if-none-match', message: 'expected *' }])
  }
  return { ifMatch: matchOf(ifMatch), isNew: ifNoneMatch !== undefined }
}

/** The header of a definition that a revision changed last. */
export function entityTag(revision: number): string {
  return `"${String(revision)}"`
}

function matchOf(header: string | undefined): Precondition['ifMatch'] {
  if (header === undefined) return undefined
  if (header.trim() === '*') return '*'
  return header.split(',').map((tag) => {
    const [, revision] = TAG.exec(tag.trim()) ?? []
    if (revision !== undefined) return Number(revision)
    const message = 'expected the ETag of an answer, such as "12"'
    throw invalidRequest([{ path: 'if-match', message }])
  })
}
