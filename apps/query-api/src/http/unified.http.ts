import { Body, Controller, HttpCode, Post } from '@nestjs/common'
import { RequireScope } from '@olytix/auth-guards'
import { AppError, type ErrorDetail } from '@olytix/errors'
import { z } from 'zod'
import type { Caller } from '../audit/audit-event.js'
import { DefinitionEditor } from '../definitions/definition-editor.js'
import { ProjectFolder } from '../definitions/project-folder.js'
import { graphOf } from '../lineage/build-graph.js'
import type { ProjectFiles } from '../project/definitions.js'
import type { Project } from '../project/project.js'
import { Text } from './auth/text.schemas.js'
import { CurrentCaller } from './current-caller.js'

const LoadBody = z.strictObject({
  project_path: Text.max(1000).optional(),
  /** Whether what is odd counts as wrong. */
  strict: z.boolean().default(false),
})

type LoadRequest = z.output<typeof LoadBody>

interface Loaded {
  readonly project: Project
  readonly warnings: readonly string[]
}

/** The project folder as a whole. */
@Controller('api/v1/unified')
@RequireScope('write')
export class UnifiedController {
  constructor(
    private readonly editor: DefinitionEditor,
    private readonly folder: ProjectFolder,
  ) {}

  /** Makes the folder the next revision. Under `strict`, only without warnings. */
  @Post('load')
  @HttpCode(200)
  load(@CurrentCaller() caller: Caller, @Body({ schema: LoadBody }) body: LoadRequest) {
    return this.answer(body, async (files) => {
      const seen = await this.editor.preview(caller, files)
      const isRefused = body.strict && seen.warnings.length > 0
      return isRefused ? seen : this.editor.load(caller, files)
    })
  }

  /** Says what a load would come to, and changes nothing. */
  @Post('compile')
  @HttpCode(200)
  compile(@CurrentCaller() caller: Caller, @Body({ schema: LoadBody }) body: LoadRequest) {
    return this.answer(body, (files) => this.editor.preview(caller, files))
  }

  private async answer(
    { project_path: projectPath, strict }: LoadRequest,
    work: (files: ProjectFiles) => Promise<Loaded>,
  ) {
    const startedAt = performance.now()
    const timed = () => ({ load_time_ms: Math.round((performance.now() - startedAt) * 10) / 10 })
    try {
      const { project, warnings } = await work(await this.folder.read(projectPath))
      const success = !strict || warnings.length === 0
      return { success, ...countsOf(project), errors: [], warnings, ...timed() }
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'INVALID_PROJECT') throw error
      const errors: readonly ErrorDetail[] = error.details ?? []
      return { success: false, ...NOTHING, errors, warnings: [], ...timed() }
    }
  }
}

const NOTHING = {
  project_name: null,
  source_count: 0,
  model_count: 0,
  cube_count: 0,
  metric_count: 0,
  graph_nodes: 0,
  graph_edges: 0,
}

function countsOf(project: Project) {
  const { name, sources, models, cubes, metrics } = project
  const size = (named: object): number => Object.keys(named).length
  const { nodes, edges } = graphOf(project)
  return {
    project_name: name,
    source_count: size(sources),
    model_count: size(models),
    cube_count: size(cubes),
    metric_count: size(metrics),
    graph_nodes: nodes.size,
    graph_edges: edges.length,
  }
}
