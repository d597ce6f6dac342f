import { type DynamicModule, Module } from '@nestjs/common'
import { AuditService } from '../audit/audit.service.js'
import { CurrentProject } from '../project/current-project.js'
import type { Warehouse } from '../warehouse/warehouse.js'
import { ExplainService } from './explain.service.js'
import { QueryService } from './query.service.js'
import { WAREHOUSE } from './query.tokens.js'

/** What questions are answered from. */
export interface QueryOptions {
  readonly projects: CurrentProject
  readonly warehouse: Warehouse
  readonly audit: AuditService
}

@Module({})
class QueryModule {}

/** The module that exports `QueryService`. */
export function createQueryModule({ projects, warehouse, audit }: QueryOptions): DynamicModule {
  return {
    module: QueryModule,
    providers: [
      QueryService,
      ExplainService,
      { provide: CurrentProject, useValue: projects },
      { provide: AuditService, useValue: audit },
      { provide: WAREHOUSE, useValue: warehouse },
    ],
    exports: [QueryService, ExplainService, AuditService],
  }
}
