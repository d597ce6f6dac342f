import { type DynamicModule, Module } from '@nestjs/common'
import { AuditService } from '../audit/audit.service.js'
import type { Project } from '../project/project.js'
import type { Warehouse } from '../warehouse/warehouse.js'
import { QueryService } from './query.service.js'
import { PROJECT, WAREHOUSE } from './query.tokens.js'

/** What questions are answered from. */
export interface QueryOptions {
  readonly project: Project
  readonly warehouse: Warehouse
  readonly audit: AuditService
}

@Module({})
class QueryModule {}

/** The module that exports `QueryService`. */
export function createQueryModule({ project, warehouse, audit }: QueryOptions): DynamicModule {
  return {
    module: QueryModule,
    providers: [
      QueryService,
      { provide: PROJECT, useValue: project },
      { provide: AuditService, useValue: audit },
      { provide: WAREHOUSE, useValue: warehouse },
    ],
    exports: [QueryService, AuditService],
  }
}
