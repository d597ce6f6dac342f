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
import { RequireScope } from '@olytix/auth-guards'
import { AppError, type ErrorDetail } from '@olytix/errors'
import type { Caller } from '../audit/audit-event.js'
import { QueryService, type RowFormat } from '../query/query.service.js'
import type { Question } from '../query/prepare-question.js'
import { CurrentCaller } from './current-caller.js'
import { TakesQuestion } from './api-docs/question-schema.js'
import {
  checkQuestion,
  MAX_STREAMED,
  parseQuestion,
  parseQuestionParameters,
} from './query.schemas.js'

const JSON_TYPE = 'application/json; charset=utf-8'

/** The part of Fastify's reply that an answer needs. */
interface Reply {
  header(name: string, value: string): unknown
  readonly raw: { readonly destroyed: boolean; once(event: 'close', then: () => void): unknown }
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
    @CurrentCaller() caller: Caller,
    @Body() body: unknown,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<string | StreamableFile> {
    const format = this.queries.formatFor(accept)
    reply.header('content-type', format?.mediaType ?? JSON_TYPE)
    if (format) return this.stream(caller, parseQuestion(body, MAX_STREAMED), { format, reply })
    return this.queries.answer(caller, parseQuestion(body))
  }

  /** The same question in an address. Without any, an empty answer that says how to ask. */
  @Get()
  @RequireScope('read')
  async askByAddress(
    @CurrentCaller() caller: Caller,
    @Query() parameters: Record<string, unknown>,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<string | StreamableFile> {
    const format = this.queries.formatFor(accept)
    reply.header('content-type', format?.mediaType ?? JSON_TYPE)
    const question = parseQuestionParameters(parameters, format && MAX_STREAMED)
    const { metrics, dimensions } = question
    const isEmpty = metrics.length + dimensions.length === 0
    if (format && !isEmpty) return this.stream(caller, question, { format, reply })
    if (!isEmpty) return this.queries.answer(caller, question)
    return JSON.stringify({
      data: [],
      columns: [],
      hint: this.queries.hint(caller.principal),
      execution_time_ms: 0,
      cached: false,
    })
  }

  @Post('validate')
  @TakesQuestion()
  @HttpCode(200)
  @RequireScope('read')
  async validate(
    @CurrentCaller() caller: Caller,
    @Body() body: unknown,
  ): Promise<{ valid: boolean; errors?: readonly ErrorDetail[] }> {
    const question = checkQuestion(body)
    if (!('metrics' in question)) return { valid: false, errors: question }
    try {
      await this.queries.validate(caller, question)
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
  async statement(
    @CurrentCaller() caller: Caller,
    @Body() body: unknown,
  ): Promise<{ sql: string; parameters: readonly unknown[] }> {
    const { text, values } = await this.queries.statement(caller, parseQuestion(body))
    return { sql: text, parameters: values }
  }

  private async stream(
    caller: Caller,
    question: Question,
    { format, reply }: { readonly format: RowFormat; readonly reply: Reply },
  ): Promise<StreamableFile> {
    const gone = goneSignal(reply)
    return new StreamableFile(await this.queries.stream(caller, question, { format, gone }))
  }
}

/** Aborted when nobody waits for the answer any more: it is sent, or who asked has gone away. */
function goneSignal({ raw }: Reply): AbortSignal {
  const gone = new AbortController()
  if (raw.destroyed) gone.abort()
  raw.once('close', () => {
    gone.abort()
  })
  return gone.signal
}
