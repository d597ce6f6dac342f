import { setTimeout } from 'node:timers/promises'
import { EventSourceParserStream } from 'eventsource-parser/stream'
import { parse } from 'lossless-json'
import { z } from 'zod'
import { moment, number } from './answers.js'
import { ServerUnreachable } from './api-errors.js'
import { call, type Endpoint, openStream } from './transport.js'

const step = z.looseObject({
  name: z.string(),
  kind: z.string(),
  status: z.string(),
  rows: number.nullish(),
  duration_ms: number.nullish(),
  message: z.string().nullish(),
  error: z
    .looseObject({
      sqlstate_class: z.string().nullish(),
      sqlstate: z.string().nullish(),
      message: z.string().nullish(),
    })
    .nullish(),
})

/** One model, seed, test or table of a run. */
export type RunStep = z.output<typeof step>

const summary = z.looseObject({
  id: z.string(),
  kind: z.string(),
  status: z.string(),
  requested_by: z.looseObject({ id: z.string(), email: z.string().nullish() }).nullish(),
  created_at: moment,
  finished_at: moment.nullish(),
})

/** A run without its steps. */
export type RunSummary = z.output<typeof summary>

const run = summary.extend({ steps: z.array(step) })

/** A run as it is now. */
export type Run = z.output<typeof run>

const runList = z.looseObject({ runs: z.array(summary) })
const started = z.looseObject({ run_id: z.string() })

/** The last part of the address that begins a run. */
export type RunVerb = 'run' | 'seed' | 'test' | 'freshness'

export interface RunRequest {
  readonly select: readonly string[]
  readonly full_refresh?: boolean
}

const RUNS = 'api/v1/models/runs'
const PAUSE_MS = 1000
/** The server may be started anew meanwhile: the run goes on then. */
const MAX_FAILURES = 30

/** Runs of models, seeds, tests and freshness. Every method throws what `call` throws. */
export class RunsApi {
  constructor(private readonly endpoint: Endpoint) {}

  /** @returns the id of the run, which goes on whether anybody follows it or not */
  async start(verb: RunVerb, body: RunRequest): Promise<string> {
    const request = { method: 'POST', path: `api/v1/models/${verb}`, body } as const
    return (await call(this.endpoint, request, started)).run_id
  }

  get(id: string): Promise<Run> {
    return call(this.endpoint, { method: 'GET', path: pathOf(id) }, run)
  }

  async list(limit: number): Promise<readonly RunSummary[]> {
    const search = { page_size: String(limit) }
    return (await call(this.endpoint, { method: 'GET', path: RUNS, search }, runList)).runs
  }

  /**
   * The run whenever something of it has changed, until it is finished: told by the server, and asked for where that
   * does not get through.
   * @throws ServerUnreachable when the server does not answer for long; what `signal` was aborted with
   */
  async *follow(id: string, signal: AbortSignal): AsyncGenerator<Run, void, undefined> {
    const current = new FollowedRun(await this.get(id))
    yield current.run
    let failures = 0
    while (!current.isFinished()) {
      try {
        for await (const run of this.hear(current, signal)) {
          failures = 0
          yield run
        }
      } catch (error) {
        signal.throwIfAborted()
        failures += 1
        if (!(error instanceof ServerUnreachable) || failures > MAX_FAILURES) throw error
      }
      if (!current.isFinished()) await setTimeout(PAUSE_MS, undefined, { signal })
    }
  }

  /** As long as the server tells, and how the run is after that. */
  private async *hear(
    current: FollowedRun,
    signal: AbortSignal,
  ): AsyncGenerator<Run, void, undefined> {
    const { id } = current.run
    for await (const event of this.events(id, current.lastEventId, signal)) {
      if (current.take(event)) yield current.run
    }
    if (current.isFinished()) return
    current.run = await this.get(id)
    yield current.run
  }

  private async *events(
    id: string,
    lastEventId: string | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<ServerEvent, void, undefined> {
    const last = lastEventId === undefined ? {} : { lastEventId }
    const request = { method: 'GET', path: `${pathOf(id)}/events`, signal, ...last } as const
    const text = await openStream(this.endpoint, request)
    const events = text.pipeThrough(new EventSourceParserStream())
    try {
      for await (const event of events) yield event
    } catch (error) {
      throw new ServerUnreachable('the server ended the connection', error)
    }
  }
}

interface ServerEvent {
  readonly event?: string | undefined
  readonly id?: string | undefined
  readonly data: string
}

class FollowedRun {
  lastEventId: string | undefined

  constructor(public run: Run) {}

  isFinished(): boolean {
    return this.run.finished_at !== null && this.run.finished_at !== undefined
  }

  /** Whether it says anything that this version knows of. */
  take({ event, id, data }: ServerEvent): boolean {
    this.lastEventId = id ?? this.lastEventId
    if (event === 'run') this.run = { ...summary.parse(parse(data)), steps: this.run.steps }
    else if (event === 'step')
      this.run = { ...this.run, steps: this.withStep(step.parse(parse(data))) }
    else return false
    return true
  }

  private withStep(changed: RunStep): RunStep[] {
    return this.run.steps.map((each) => (each.name === changed.name ? changed : each))
  }
}

function pathOf(id: string): string {
  return `${RUNS}/${encodeURIComponent(id)}`
}
