import {
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  type OnModuleDestroy,
  Param,
  Post,
  Query,
  Res,
  StreamableFile,
} from '@nestjs/common'
import { RequireScope } from '@olytix/auth-guards'
import { Readable } from 'node:stream'
import { z } from 'zod'
import type { Caller } from '../audit/audit-event.js'
import type { RunKind } from '../models/run-step.js'
import { RunsService } from '../models/runs.service.js'
import { Text } from './auth/text.schemas.js'
import { CurrentCaller } from './current-caller.js'
import { runEvents } from './run-events.js'
import { runToJson, stepToJson } from './run-json.js'

const SelectBody = z.strictObject({
  /** Words of the selection; everything if there are none. */
  select: z.array(Text.min(1).max(200)).max(100).default([]),
})

type Selection = z.output<typeof SelectBody>

const RunBody = SelectBody.extend({
  /** Whether incremental models are built from all rows. */
  full_refresh: z.boolean().default(false),
})

const RunsQuery = z.object({
  page_size: z.coerce.number().int().min(1).max(1000).default(100),
  page_token: z
    .string()
    .regex(/^run_[0-9a-z]{1,60}$/, 'is not one that a list answered')
    .optional(),
})

interface Reply {
  header(name: string, value: string): unknown
  readonly raw: { readonly destroyed: boolean; once(event: 'close', then: () => void): unknown }
}

/** Runs of models. What they tell depends on who asks: see `stepToJson`. */
@Controller('api/v1/models')
@RequireScope('write')
export class ModelsController implements OnModuleDestroy {
  private readonly ending = new AbortController()

  constructor(private readonly runs: RunsService) {}

  onModuleDestroy(): void {
    this.ending.abort()
  }

  /** Begins a run; its progress is under `runs`. */
  @Post('run')
  @HttpCode(202)
  run(@CurrentCaller() caller: Caller, @Body({ schema: RunBody }) body: z.output<typeof RunBody>) {
    return this.start(caller, 'models', body)
  }

  /** Loads seeds into the warehouse. */
  @Post('seed')
  @HttpCode(202)
  seed(@CurrentCaller() caller: Caller, @Body({ schema: SelectBody }) body: Selection) {
    return this.start(caller, 'seeds', body)
  }

  /** Counts the rows that tests find. */
  @Post('test')
  @HttpCode(202)
  test(@CurrentCaller() caller: Caller, @Body({ schema: SelectBody }) body: Selection) {
    return this.start(caller, 'tests', body)
  }

  /** Looks how old the newest rows of sources are. */
  @Post('freshness')
  @HttpCode(202)
  freshness(@CurrentCaller() caller: Caller, @Body({ schema: SelectBody }) body: Selection) {
    return this.start(caller, 'freshness', body)
  }

  @Get('runs')
  async list(@Query({ schema: RunsQuery }) query: z.output<typeof RunsQuery>) {
    const { page_size: size, page_token: beforeId = null } = query
    const { runs, nextId } = await this.runs.list({ size, beforeId })
    return { runs: runs.map(runToJson), next_page_token: nextId }
  }

  @Get('runs/:id')
  async get(@CurrentCaller() caller: Caller, @Param('id') id: string) {
    const run = await this.runs.get(id)
    const steps = await this.runs.steps(caller, run)
    return { ...runToJson(run), steps: steps.map(stepToJson) }
  }

  /** Server-sent: `step` for each change of a step, `run` at the beginning and at the end. */
  @Get('runs/:id/events')
  async events(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Headers('last-event-id') seen: string | undefined,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<StreamableFile> {
    await this.runs.get(id)
    reply.header('cache-control', 'no-store')
    reply.header('x-accel-buffering', 'no')
    const gone = new AbortController()
    reply.raw.once('close', () => {
      gone.abort()
    })
    const ended = AbortSignal.any([gone.signal, this.ending.signal])
    const after = /^\d{1,15}$/.test(seen ?? '') ? Number(seen) : undefined
    const events = Readable.from(runEvents(this.runs, { caller, id, after, ended }))
    return new StreamableFile(events, { type: 'text/event-stream; charset=utf-8' })
  }

  private async start(
    caller: Caller,
    kind: RunKind,
    {
      select: selection,
      full_refresh: isFullRefresh = false,
    }: Partial<z.output<typeof RunBody>> & Selection,
  ): Promise<{ run_id: string }> {
    return { run_id: await this.runs.start(caller, { kind, selection, isFullRefresh }) }
  }
}
