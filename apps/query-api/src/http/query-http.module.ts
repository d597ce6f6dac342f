import { type DynamicModule, Module } from '@nestjs/common'
import { createQueryModule, type QueryOptions } from '../query/query.module.js'
import { DataAuditController } from './data-audit.http.js'
import { MetaController } from './meta.http.js'
import { QueryController } from './query.http.js'

@Module({})
class QueryHttpModule {}

/** `/api/v1/query`, `/api/v1/query/meta` and the trail of both, `/api/v1/audit`. */
export function createQueryHttpModule(options: QueryOptions): DynamicModule {
  return {
    module: QueryHttpModule,
    imports: [createQueryModule(options)],
    controllers: [QueryController, MetaController, DataAuditController],
  }
}
