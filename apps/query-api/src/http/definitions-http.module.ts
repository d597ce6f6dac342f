import { type DynamicModule, Module } from '@nestjs/common'
import type { Definitions } from '../definitions/definitions.service.js'
import { PoliciesService } from '../policies/policies.service.js'
import type { CurrentProject } from '../project/current-project.js'
import { PoliciesController } from './policies.http.js'

/** What definitions are changed through. */
export interface DefinitionsHttpOptions {
  readonly definitions: Definitions
  readonly projects: CurrentProject
}

@Module({})
class DefinitionsHttpModule {}

/** `/api/v1/policies`. */
export function createDefinitionsHttpModule({
  definitions,
  projects,
}: DefinitionsHttpOptions): DynamicModule {
  return {
    module: DefinitionsHttpModule,
    controllers: [PoliciesController],
    providers: [{ provide: PoliciesService, useValue: new PoliciesService(definitions, projects) }],
  }
}
