import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common'
import { RequireScope } from '@olytix/auth-guards'
import { forbidden, invalidRequest } from '@olytix/errors'
import type { Caller } from '../audit/audit-event.js'
import { type Explained, ExplainService } from '../query/explain.service.js'
import { TakesQuestion } from './api-docs/question-schema.js'
import { PassOn } from './auth/call-context.js'
import type { CallContext } from './auth/identity.client.js'
import type { Principals } from './auth/principals.js'
import { CurrentCaller } from './current-caller.js'
import { parseQuestion } from './query.schemas.js'

export const PRINCIPALS = Symbol('principals')

/** What applies to a question, and to whom. */
@Controller('api/v1/query')
export class ExplainController {
  constructor(
    private readonly explanations: ExplainService,
    @Inject(PRINCIPALS) private readonly principals: Principals,
  ) {}

  /** The body is a question; an admin may name in `as_user` whose it is. */
  @Post('explain')
  @TakesQuestion()
  @HttpCode(200)
  @RequireScope('read')
  async explain(
    @CurrentCaller() caller: Caller,
    @PassOn() context: CallContext,
    @Body() body: unknown,
  ): Promise<Explained> {
    const { asUser, rest } = withoutUser(body)
    if (asUser === undefined) return this.explanations.own(caller, parseQuestion(rest))
    if (!caller.principal.scopes.includes('admin')) throw forbidden('as_user is for admins')
    const question = parseQuestion(rest)
    const other = await this.principals.find(context, asUser)
    return this.explanations.other(caller, question, other)
  }
}

function withoutUser(body: unknown): {
  readonly asUser: string | undefined
  readonly rest: unknown
} {
  if (typeof body !== 'object' || body === null || !('as_user' in body)) {
    return { asUser: undefined, rest: body }
  }
  const { as_user: asUser, ...rest } = body
  if (typeof asUser === 'string' && asUser !== '' && asUser.length <= 500) return { asUser, rest }
  throw invalidRequest([{ path: 'as_user', message: 'expected an id or an e-mail address' }])
}
