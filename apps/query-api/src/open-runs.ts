import type { LoggerService } from '@nestjs/common'
import type { Secret } from '@olytix/config'
import type { Database } from '@olytix/postgres'
import type { QueryApiConfig } from './config.js'
import type { Definitions } from './definitions/definitions.service.js'
import type { BuildRecords } from './models/build-records.js'
import { Builder } from './models/builder.js'
import { PLANNERS } from './models/planners.js'
import { RunExecutor } from './models/run-executor.js'
import { RunsService } from './models/runs.service.js'
import type { CurrentProject } from './project/current-project.js'

/** Where runs are kept, and what they are runs of. */
interface RunsFoundation {
  readonly config: QueryApiConfig
  readonly database: Database
  readonly definitions: Definitions
  readonly projects: CurrentProject
  readonly builds: BuildRecords
}

interface RunsOptions {
  /** The warehouse that the project names. */
  readonly ofProject: Secret | undefined
  readonly logger: LoggerService
  /** Remembers what must be closed again. */
  readonly open: <T extends { close(): Promise<void> }>(part: T) => T
}

/** Runs, which are kept and shown without a role that builds too. */
export function openRuns(
  { config, database, definitions, projects, builds }: RunsFoundation,
  { ofProject, logger, open }: RunsOptions,
): RunsService {
  const options = {
    database,
    project: projects.project.name,
    planners: PLANNERS,
    now: () => new Date(),
  }
  const url = builderUrl(config, ofProject)
  if (!url) return new RunsService(options, projects, undefined)
  const concurrency = config.OLYTIX_MODELS__CONCURRENCY
  const builder = open(
    new Builder({
      url: url.reveal(),
      concurrency: 2 * concurrency,
      timeoutMs: config.OLYTIX_MODELS__TIMEOUT_SECONDS * 1000,
      onError: (error) => {
        logger.warn(error)
      },
    }),
  )
  const projectAt = (revision: number) => definitions.loadAt(revision)
  const executor = open(new RunExecutor({ ...options, builder, builds, concurrency, projectAt }))
  return new RunsService(options, projects, executor)
}

/** The role that comes with a warehouse builds in that one only. */
function builderUrl(config: QueryApiConfig, ofProject: Secret | undefined): Secret | undefined {
  const isFallback = !config.OLYTIX_WAREHOUSE__URL && !ofProject
  return config.OLYTIX_MODELS__URL ?? (isFallback ? config.OLYTIX_MODELS__FALLBACK_URL : undefined)
}
