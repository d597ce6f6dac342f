import { type DynamicModule, Module } from '@nestjs/common'
import { DefinitionEditor } from '../definitions/definition-editor.js'
import type { Definitions } from '../definitions/definitions.service.js'
import { PoliciesService } from '../policies/policies.service.js'
import { CurrentProject } from '../project/current-project.js'
import { DefinitionsController } from './definitions.http.js'
import { PoliciesController } from './policies.http.js'

/** What definitions are changed through. */
export interface DefinitionsHttpOptions {
  readonly definitions: Definitions
  readonly projects: CurrentProject
}

@Module({})
class DefinitionsHttpModule {}

/** `/api/v1/policies` and `/api/v1/definitions`. */
export function createDefinitionsHttpModule({
  definitions,
  projects,
}: DefinitionsHttpOptions): DynamicModule {
  return {
    module: DefinitionsHttpModule,
    controllers: [PoliciesController, DefinitionsController],
    providers: [
      { provide: PoliciesService, useValue: new PoliciesService(definitions, projects) },
      { provide: DefinitionEditor, useValue: new DefinitionEditor(definitions, projects) },
      { provide: CurrentProject, useValue: projects },
    ],
  }
}
