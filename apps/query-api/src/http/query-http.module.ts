import { type DynamicModule, Module } from '@nestjs/common'
import { createQueryModule, type QueryOptions } from '../query/query.module.js'
import { MetaController } from './meta.http.js'
import { QueryController } from './query.http.js'

@Module({})
class QueryHttpModule {}

/** `/api/v1/query` and `/api/v1/query/meta`. */
export function createQueryHttpModule(options: QueryOptions): DynamicModule {
  return {
    module: QueryHttpModule,
    imports: [createQueryModule(options)],
    controllers: [QueryController, MetaController],
  }
}
