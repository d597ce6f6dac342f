import { type DynamicModule, Module } from '@nestjs/common'
import { createQueryModule, type QueryOptions } from '../query/query.module.js'
import { DataAuditController } from './data-audit.http.js'
import { ExplainController, PRINCIPALS } from './explain.http.js'
import type { Principals } from './auth/principals.js'
import { MetaController } from './meta.http.js'
import { QueryController } from './query.http.js'

interface QueryHttpOptions extends QueryOptions {
  readonly principals: Principals
}

@Module({})
class QueryHttpModule {}

/** `/api/v1/query`, `/api/v1/query/meta` and the trail of both, `/api/v1/audit`. */
export function createQueryHttpModule({ principals, ...options }: QueryHttpOptions): DynamicModule {
  return {
    module: QueryHttpModule,
    imports: [createQueryModule(options)],
    controllers: [QueryController, ExplainController, MetaController, DataAuditController],
    providers: [{ provide: PRINCIPALS, useValue: principals }],
  }
}
