import { Body, Controller, Get, Header, HttpCode, Post, Query } from '@nestjs/common'
import { CurrentPrincipal, type Principal, RequireScope } from '@olytix/auth-guards'
import { AppError, type ErrorDetail } from '@olytix/errors'
import { QueryService } from '../query/query.service.js'
import { checkQuestion, parseQuestion, parseQuestionParameters } from './query.schemas.js'

const JSON_TYPE = 'application/json; charset=utf-8'

/** Questions about numbers. */
@Controller('api/v1/query')
export class QueryController {
  constructor(private readonly queries: QueryService) {}

  @Post()
  @HttpCode(200)
  @RequireScope('read')
  @Header('content-type', JSON_TYPE)
  ask(@CurrentPrincipal() principal: Principal, @Body() body: unknown): Promise<string> {
    return this.queries.answer(principal, parseQuestion(body))
  }

  /** The same question in an address. Without any, an empty answer that says how to ask. */
  @Get()
  @RequireScope('read')
  @Header('content-type', JSON_TYPE)
  async askByAddress(
    @CurrentPrincipal() principal: Principal,
    @Query() parameters: Record<string, unknown>,
  ): Promise<string> {
    const question = parseQuestionParameters(parameters)
    const { metrics, dimensions } = question
    if (metrics.length + dimensions.length > 0) return this.queries.answer(principal, question)
    return JSON.stringify({
      data: [],
      columns: [],
      hint: this.queries.hint(principal),
      execution_time_ms: 0,
      cached: false,
    })
  }

  @Post('validate')
  @HttpCode(200)
  @RequireScope('read')
  validate(
    @CurrentPrincipal() principal: Principal,
    @Body() body: unknown,
  ): { valid: boolean; errors?: readonly ErrorDetail[] } {
    const question = checkQuestion(body)
    if (!('metrics' in question)) return { valid: false, errors: question }
    try {
      this.queries.validate(principal, question)
      return { valid: true }
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'INVALID_QUERY') throw error
      return { valid: false, errors: error.details ?? [] }
    }
  }

  @Post('sql')
  @HttpCode(200)
  @RequireScope('admin')
  statement(
    @CurrentPrincipal() principal: Principal,
    @Body() body: unknown,
  ): { sql: string; parameters: readonly unknown[] } {
    const { text, values } = this.queries.statement(principal, parseQuestion(body))
    return { sql: text, parameters: values }
  }
}
