import { Controller, Get, Param } from '@nestjs/common'
import { CurrentPrincipal, type Principal, RequireScope } from '@olytix/auth-guards'
import type { CubeMeta, DimensionMeta } from '../query/describe-cubes.js'
import type { MetricMeta } from '../query/describe-metrics.js'
import { QueryService } from '../query/query.service.js'

/** What can be asked for; each principal is told only of what they may see. */
@Controller('api/v1/query/meta')
export class MetaController {
  constructor(private readonly queries: QueryService) {}

  @Get('cubes')
  @RequireScope('read')
  cubes(@CurrentPrincipal() principal: Principal): { cubes: readonly CubeMeta[] } {
    return { cubes: this.queries.cubes(principal) }
  }

  @Get('cubes/:name')
  @RequireScope('read')
  cube(@CurrentPrincipal() principal: Principal, @Param('name') name: string): CubeMeta {
    return this.queries.cube(principal, name)
  }

  @Get('metrics')
  @RequireScope('read')
  metrics(@CurrentPrincipal() principal: Principal): { metrics: readonly MetricMeta[] } {
    return { metrics: this.queries.metrics(principal) }
  }

  @Get('dimensions')
  @RequireScope('read')
  dimensions(@CurrentPrincipal() principal: Principal): { dimensions: readonly DimensionMeta[] } {
    return { dimensions: this.queries.cubes(principal).flatMap(({ dimensions }) => dimensions) }
  }
}
