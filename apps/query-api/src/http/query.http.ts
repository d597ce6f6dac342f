import {
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  Post,
  Query,
  Res,
  StreamableFile,
} from '@nestjs/common'
import { CurrentPrincipal, type Principal, RequireScope } from '@olytix/auth-guards'
import { AppError, type ErrorDetail } from '@olytix/errors'
import { QueryService, type RowFormat } from '../query/query.service.js'
import type { Question } from '../query/run-query.js'
import { TakesQuestion } from './api-docs/question-schema.js'
import {
  checkQuestion,
  MAX_STREAMED,
  parseQuestion,
  parseQuestionParameters,
} from './query.schemas.js'

const JSON_TYPE = 'application/json; charset=utf-8'

/** The part of Fastify's reply that a stream needs. */
interface Reply {
  header(name: string, value: string): unknown
}

/** Questions about numbers. */
@Controller('api/v1/query')
export class QueryController {
  constructor(private readonly queries: QueryService) {}

  @Post()
  @TakesQuestion()
  @HttpCode(200)
  @RequireScope('read')
  ask(
    @CurrentPrincipal() principal: Principal,
    @Body() body: unknown,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<string | StreamableFile> {
    const format = this.queries.formatFor(accept)
    reply.header('content-type', format?.mediaType ?? JSON_TYPE)
    if (format) return this.stream(principal, parseQuestion(body, MAX_STREAMED), format)
    return this.queries.answer(principal, parseQuestion(body))
  }

  /** The same question in an address. Without any, an empty answer that says how to ask. */
  @Get()
  @RequireScope('read')
  async askByAddress(
    @CurrentPrincipal() principal: Principal,
    @Query() parameters: Record<string, unknown>,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<string | StreamableFile> {
    const format = this.queries.formatFor(accept)
    reply.header('content-type', format?.mediaType ?? JSON_TYPE)
    const question = parseQuestionParameters(parameters, format && MAX_STREAMED)
    const { metrics, dimensions } = question
    const isEmpty = metrics.length + dimensions.length === 0
    if (format && !isEmpty) return this.stream(principal, question, format)
    if (!isEmpty) return this.queries.answer(principal, question)
    return JSON.stringify({
      data: [],
      columns: [],
      hint: this.queries.hint(principal),
      execution_time_ms: 0,
      cached: false,
    })
  }

  @Post('validate')
  @TakesQuestion()
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
  @TakesQuestion()
  @HttpCode(200)
  @RequireScope('admin')
  statement(
    @CurrentPrincipal() principal: Principal,
    @Body() body: unknown,
  ): { sql: string; parameters: readonly unknown[] } {
    const { text, values } = this.queries.statement(principal, parseQuestion(body))
    return { sql: text, parameters: values }
  }

  private async stream(
    principal: Principal,
    question: Question,
    format: RowFormat,
  ): Promise<StreamableFile> {
    const text = await this.queries.stream(principal, question, format)
    return new StreamableFile(text)
  }
}
