import { type DynamicModule, Module } from '@nestjs/common'
import { DefinitionEditor } from '../definitions/definition-editor.js'
import { DefinitionHistory } from '../definitions/definition-history.js'
import { ProjectFolder } from '../definitions/project-folder.js'
import type { Definitions } from '../definitions/definitions.service.js'
import { PoliciesService } from '../policies/policies.service.js'
import { CurrentProject } from '../project/current-project.js'
import { DefinitionsController } from './definitions.http.js'
import { LineageController } from './lineage.http.js'
import { PoliciesController } from './policies.http.js'
import { RevisionsController } from './revisions.http.js'
import { UnifiedController } from './unified.http.js'

/** What definitions are changed through. */
export interface DefinitionsHttpOptions {
  readonly definitions: Definitions
  readonly projects: CurrentProject
  /** Of the project. */
  readonly folder: string
}

@Module({})
class DefinitionsHttpModule {}

/** `/api/v1/policies`, `/api/v1/definitions`, `/api/v1/unified` and `/api/v1/lineage`. */
export function createDefinitionsHttpModule({
  definitions,
  projects,
  folder,
}: DefinitionsHttpOptions): DynamicModule {
  return {
    module: DefinitionsHttpModule,
    controllers: [
      PoliciesController,
      RevisionsController,
      DefinitionsController,
      UnifiedController,
      LineageController,
    ],
    providers: [
      { provide: PoliciesService, useValue: new PoliciesService(definitions, projects) },
      { provide: DefinitionEditor, useValue: new DefinitionEditor(definitions, projects) },
      { provide: DefinitionHistory, useValue: new DefinitionHistory(definitions) },
      { provide: CurrentProject, useValue: projects },
      { provide: ProjectFolder, useValue: new ProjectFolder(folder) },
    ],
  }
}
