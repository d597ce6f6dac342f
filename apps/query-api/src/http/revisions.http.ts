import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common'
import { RequireScope } from '@olytix/auth-guards'
import { AppError } from '@olytix/errors'
import { z } from 'zod'
import type { Caller } from '../audit/audit-event.js'
import { DefinitionEditor } from '../definitions/definition-editor.js'
import { DefinitionHistory } from '../definitions/definition-history.js'
import type { RevisionSummary } from '../definitions/stored-definition.js'
import { CurrentProject } from '../project/current-project.js'
import { authorToJson } from './author.js'
import { CurrentCaller } from './current-caller.js'
import { shownText } from './definition-text.js'

const DiffQuery = z.strictObject({
  /** The revision to compare with; 0: with nothing; absent: the one before. */
  from: z
    .string()
    .regex(/^(?:0|[1-9]\d{0,14})$/, 'expected the number of a revision, or 0')
    .transform(Number)
    .optional(),
})

/** The states that the definitions of a project went through. */
@Controller('api/v1/definitions/revisions')
@RequireScope('write')
export class RevisionsController {
  constructor(
    private readonly history: DefinitionHistory,
    private readonly editor: DefinitionEditor,
    private readonly projects: CurrentProject,
  ) {}

  @Get()
  async list() {
    const revisions = (await this.history.revisions()).map(summaryToJson)
    return { revisions, next_page_token: null }
  }

  @Get(':revision')
  async get(@Param('revision') revision: string) {
    const { summary, changes } = await this.history.revision(numberOf(revision))
    return { ...summaryToJson(summary), changes }
  }

  /** What it changed, or how it differs from the revision `from`. */
  @Get(':revision/diff')
  async diff(
    @CurrentCaller() { principal }: Caller,
    @Param('revision') text: string,
    @Query({ schema: DiffQuery }) query: z.output<typeof DiffQuery>,
  ) {
    const revision = numberOf(text)
    const { from = revision - 1 } = query
    const diffs = (await this.history.diff(revision, from)).map((each) => {
      const { text: diff, redacted } = shownText(this.projects.project, principal, each)
      return { kind: each.kind, name: each.name, change: each.change, diff, redacted }
    })
    return { revision, from, diffs }
  }

  @Post(':revision/restore')
  @HttpCode(200)
  async restore(@CurrentCaller() caller: Caller, @Param('revision') revision: string) {
    return { revision: await this.editor.restore(caller, numberOf(revision)) }
  }
}

function numberOf(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new AppError('NOT_FOUND', 'There is no such revision')
}

function summaryToJson({ revision, summary, createdAt, ...author }: RevisionSummary) {
  return {
    revision,
    summary,
    created_at: createdAt.toISOString(),
    created_by: authorToJson(author),
  }
}
