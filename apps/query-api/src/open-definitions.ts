import type { LoggerService } from '@nestjs/common'
import { AppError } from '@olytix/errors'
import type { Database } from '@olytix/postgres'
import { loadModule } from 'libpg-query'
import type { QueryApiConfig } from './config.js'
import { Definitions } from './definitions/definitions.service.js'
import { loadFolder } from './definitions/load-folder.js'
import { type CompiledProject, compileProject } from './project/build-project.js'
import { CurrentProject, type ProjectRevision } from './project/current-project.js'
import type { ProjectFiles } from './project/definitions.js'
import { readProjectFile } from './project/project-file.js'
import type { ProjectShape } from './project/definition-schemas.js'
import type { Project } from './project/project.js'

type Environment = Readonly<Record<string, string | undefined>>

/** What definitions are compiled with. */
export interface DefinitionsFoundation {
  readonly config: QueryApiConfig
  readonly environment: Environment
  readonly database: Database
  /** Refuses a project whose tables must not be read. Gives it with its lineage followed through them. */
  readonly accept: (project: Project) => Promise<Project>
  /** Counts what happens to tables of models. */
  readonly builds: () => Promise<number>
  readonly logger: LoggerService
}

/**
 * What the project file says. The SQL parser is loaded afterwards.
 * @throws AppError INVALID_PROJECT with the problems of all files when it cannot be read
 */
export async function readSettings(
  files: ProjectFiles,
  environment: Environment,
): Promise<ProjectShape> {
  await loadModule()
  const { settings } = readProjectFile(files.project, environment)
  return settings?.shape ?? failing(() => compileProject(files, environment))
}

/**
 * The definitions of the project with this name, brought up to date with its folder. A folder that does not compile
 * never replaces a revision that does: it is logged.
 * @throws AppError INVALID_PROJECT when there is no revision to go on with
 */
export async function openDefinitions(
  name: string,
  files: ProjectFiles,
  { config, environment, database, accept, builds, logger }: DefinitionsFoundation,
): Promise<{ readonly definitions: Definitions; readonly projects: CurrentProject }> {
  const compile = async (of: ProjectFiles): Promise<CompiledProject> => {
    const compiled = compileProject(of, environment, config.OLYTIX_MASKING__KEY)
    return { ...compiled, project: await accept(compiled.project) }
  }
  const now = (): Date => new Date()
  const definitions = new Definitions({ database, project: name, compile, builds, now })
  const revision = await firstRevision(definitions, files, logger)
  return { definitions, projects: new CurrentProject(revision) }
}

async function firstRevision(
  definitions: Definitions,
  files: ProjectFiles,
  logger: LoggerService,
): Promise<ProjectRevision> {
  try {
    const { changed, warnings } = await loadFolder(definitions, { files, takesPolicies: false })
    for (const warning of warnings) logger.warn(warning)
    const revision = changed ?? (await definitions.load())
    if (revision) return revision
    throw new Error('the project folder made no revision')
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'INVALID_PROJECT') throw error
    const before = await definitions.load()
    if (!before) throw error
    const { message, details } = error
    logger.error({ event: 'project_folder_not_loaded', serving: before.revision, message, details })
    return before
  }
}

function failing(run: () => unknown): never {
  run()
  throw new Error('the project file has no problems after all')
}
