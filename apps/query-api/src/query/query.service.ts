import type { Readable } from 'node:stream'
import type { Principal } from '@olytix/auth-guards'
import { Inject, Injectable } from '@nestjs/common'
import type { Statement, TextRows } from '@olytix/postgres'
import type { Caller } from '../audit/audit-event.js'
import { AuditService } from '../audit/audit.service.js'
import { CurrentProject } from '../project/current-project.js'
import { Visibility } from '../rls/visibility.js'
import { formatFor } from '../results/accept.js'
import { typeOfColumn } from '../results/column-types.js'
import { toJsonRows } from '../results/json-rows.js'
import type { RowFormat } from '../results/result-column.js'
import { type StreamOutcome, streamRows } from '../results/stream-rows.js'
import type { GuardedPlan } from '../rls/guard-plan.js'
import { planQuestion, type PlannedQuestion } from './plan-question.js'
import { QuestionTrail } from './question-trail.js'
import type { Question } from './prepare-question.js'
import { type Answer, runQuery, streamQuery } from './run-query.js'
import { WAREHOUSE } from './query.tokens.js'
import type { Warehouse } from '../warehouse/warehouse.js'
import { type CubeMeta, describeCube, describeCubes } from './describe-cubes.js'
import { describeMetrics, type MetricMeta } from './describe-metrics.js'

export type { RowFormat }

/**
 * Answers questions about the numbers of a project, for one principal at a time. Each question is answered from the
 * revision of the project that is current when it begins.
 */
@Injectable()
export class QueryService {
  constructor(
    private readonly projects: CurrentProject,
    @Inject(WAREHOUSE) private readonly warehouse: Warehouse,
    private readonly audit: AuditService,
  ) {}

  /** The JSON text of an answer: `{"data":[…],"columns":[…],"execution_time_ms":4.2,"cached":false}`. */
  async answer(caller: Caller, question: Question): Promise<string> {
    const startedAt = performance.now()
    const trail = this.trailOf(caller, question)
    const answer = await trail.refusals(() =>
      runQuery(this.projects.project, this.warehouse, caller.principal, question),
    )
    const { plan, policyMs, rows, isKept } = answer
    await trail.answered({ plan, policyMs, rows: rows.rows.length, isKept })
    const columns = columnsOf(plan, rows)
    const data = toJsonRows(rows, [...plan.dimensions, ...plan.metrics])
    const elapsed = Math.round((performance.now() - startedAt) * 10) / 10
    const more = totalsOf(answer)
    return `{"data":${data},"columns":${JSON.stringify(columns)}${more},"execution_time_ms":${String(elapsed)},"cached":${String(isKept)}}`
  }

  /**
   * How rows are streamed for who accepts this; `undefined`: they are not.
   * @throws AppError NOT_ACCEPTABLE
   */
  formatFor(accept: string | undefined): RowFormat | undefined {
    return formatFor(accept)
  }

  /**
   * The body of an answer, as its rows come. Its first rows are read before it is returned, so that what is wrong with a
   * question is an error and not half an answer.
   * @param gone when nobody waits for it any more
   */
  async stream(
    caller: Caller,
    question: Question,
    { format, gone }: { readonly format: RowFormat; readonly gone: AbortSignal },
  ): Promise<Readable> {
    const trail = this.trailOf(caller, question)
    const asked = { principal: caller.principal, question }
    return trail.refusals(async () => {
      const { plan, policyMs, ...rows } = streamQuery(
        this.projects.project,
        this.warehouse,
        asked,
        gone,
      )
      // Before the end: a stream whose event cannot be written breaks off.
      const finish = (outcome: StreamOutcome): Promise<void> =>
        trail.answered({ plan, policyMs, ...outcome })
      return streamRows(rows, { columns: [...plan.dimensions, ...plan.metrics], format, finish })
    })
  }

  /** What to ask, for someone who asked for nothing. */
  hint(principal: Principal): string {
    const names = new Visibility(this.projects.project, principal).metricNames()
    if (names.length === 0) return 'No metric is visible to you'
    const shown = names.slice(0, 20).join(', ')
    const more = names.length > 20 ? ` and ${String(names.length - 20)} more` : ''
    return `Ask with ?metrics=<name>. Metrics that you may see: ${shown}${more}`
  }

  /** @throws AppError as the question itself would, but for what only running it shows */
  async validate(caller: Caller, question: Question): Promise<void> {
    await this.evaluate(caller, question, () =>
      planQuestion(this.projects.project, caller.principal, question),
    )
  }

  /** The statement that the question is for this caller, without the key of masks: the only bytes in it. */
  async statement(caller: Caller, question: Question): Promise<Statement> {
    const { statement } = await this.evaluate(caller, question, () =>
      planQuestion(this.projects.project, caller.principal, question),
    )
    const { text, values } = statement
    const shown = values.map((value) => (ArrayBuffer.isView(value) ? '[redacted]' : value))
    return { text, values: shown }
  }

  cubes(principal: Principal): readonly CubeMeta[] {
    const { project } = this.projects
    return describeCubes(project, new Visibility(project, principal))
  }

  /** @throws AppError NOT_FOUND, also for a cube that the principal may not see */
  cube(principal: Principal, name: string): CubeMeta {
    const { project } = this.projects
    return describeCube(project, new Visibility(project, principal), name)
  }

  metrics(principal: Principal): readonly MetricMeta[] {
    const { project } = this.projects
    return describeMetrics(project, new Visibility(project, principal))
  }

  private async evaluate(
    caller: Caller,
    question: Question,
    plan: () => PlannedQuestion,
  ): Promise<PlannedQuestion> {
    const trail = this.trailOf(caller, question)
    const startedAt = performance.now()
    const planned = await trail.refusals(plan)
    await trail.evaluated({ plan: planned.plan, policyMs: performance.now() - startedAt })
    return planned
  }

  private trailOf(caller: Caller, question: Question): QuestionTrail {
    return new QuestionTrail(this.audit, caller, question)
  }
}

/** The parts of an answer that are there only when asked for. */
function totalsOf({ plan, totals, totalRows }: Answer): string {
  const row = totals && (toJsonRows(totals, plan.metrics).slice(1, -1) || '{}')
  return [
    ...(totalRows === undefined ? [] : [`,"total_rows":${totalRows}`]),
    ...(row === undefined ? [] : [`,"totals":${row}`]),
  ].join('')
}

interface Column {
  readonly name: string
  readonly type: string
  readonly title: string
  readonly format: string | null
}

function columnsOf({ dimensions, metrics }: GuardedPlan, { fields }: TextRows): Column[] {
  return [
    ...dimensions.map(({ key, type, title, format = null }) => ({
      name: key,
      type,
      title,
      format,
    })),
    ...metrics.map(({ key, title, format = null }, index) => {
      const type = typeOfColumn(fields[dimensions.length + index]?.typeOid ?? 0)
      return { name: key, type, title, format }
    }),
  ]
}
