import { Controller, HttpCode, Post, Query } from '@nestjs/common'
import { CurrentPrincipal, type Principal, RequireScope } from '@olytix/auth-guards'
import { z } from 'zod'
import { impactOf } from '../lineage/impact.js'
import { visibleGraph } from '../lineage/visible-graph.js'
import { CurrentProject } from '../project/current-project.js'
import { Text } from './auth/text.schemas.js'

const ImpactQuery = z.object({
  artifact_id: Text.min(1).max(1000),
  max_depth: z.coerce.number().int().min(1).max(1000).default(1000),
})

/** What definitions are made of, and what is made of them; each principal is told only of what they may see. */
@Controller('api/v1')
@RequireScope('read')
export class LineageController {
  constructor(private readonly projects: CurrentProject) {}

  @Post('unified/lineage/build')
  @HttpCode(200)
  build(@CurrentPrincipal() principal: Principal) {
    const { nodes, edges } = visibleGraph(this.projects.project, principal)
    return { nodes: [...nodes.values()], edges }
  }

  @Post('lineage/impact')
  @HttpCode(200)
  impact(
    @CurrentPrincipal() principal: Principal,
    @Query({ schema: ImpactQuery }) query: z.output<typeof ImpactQuery>,
  ) {
    const { artifact_id: id, max_depth: maxDepth } = query
    const graph = visibleGraph(this.projects.project, principal)
    return { artifact_id: id, impacted: impactOf(graph, id, maxDepth) }
  }
}
