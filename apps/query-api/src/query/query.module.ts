import { type DynamicModule, Module } from '@nestjs/common'
import type { Project } from '../project/project.js'
import type { Warehouse } from '../warehouse/warehouse.js'
import { QueryService } from './query.service.js'
import { PROJECT, WAREHOUSE } from './query.tokens.js'

/** What questions are answered from. */
export interface QueryOptions {
  readonly project: Project
  readonly warehouse: Warehouse
}

@Module({})
class QueryModule {}

/** The module that exports `QueryService`. */
export function createQueryModule({ project, warehouse }: QueryOptions): DynamicModule {
  return {
    module: QueryModule,
    providers: [
      QueryService,
      { provide: PROJECT, useValue: project },
      { provide: WAREHOUSE, useValue: warehouse },
    ],
    exports: [QueryService],
  }
}
