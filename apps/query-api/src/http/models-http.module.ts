import { type DynamicModule, Module } from '@nestjs/common'
import { RunsService } from '../models/runs.service.js'
import { ModelsController } from './models.http.js'

@Module({})
class ModelsHttpModule {}

/** `/api/v1/models`. */
export function createModelsHttpModule(runs: RunsService): DynamicModule {
  return {
    module: ModelsHttpModule,
    controllers: [ModelsController],
    providers: [{ provide: RunsService, useValue: runs }],
  }
}
