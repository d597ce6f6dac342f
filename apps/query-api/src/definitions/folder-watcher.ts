import { Logger } from '@nestjs/common'
import { AppError } from '@olytix/errors'
import { Repeated } from '@olytix/observability'
import type { CurrentProject } from '../project/current-project.js'
import type { ProjectFiles } from '../project/definitions.js'
import type { Definitions } from './definitions.service.js'
import { loadFolder } from './load-folder.js'

const INTERVAL_MS = 500

interface WatchOptions {
  readonly definitions: Definitions
  readonly projects: CurrentProject
  readonly read: () => Promise<ProjectFiles>
  /** What was loaded last. */
  readonly files: ProjectFiles
}

/**
 * Loads the project's folder whenever a file in it has changed. What does not compile is logged once and leaves the
 * project as it is, until the folder changes again.
 */
export class FolderWatcher {
  private readonly logger = new Logger('project')
  private readonly watching: Repeated
  private seen: string

  constructor(private readonly options: WatchOptions) {
    this.seen = JSON.stringify(options.files)
    this.watching = new Repeated(
      () => this.look(),
      (error) => {
        const problems = error instanceof AppError ? error.details : undefined
        this.logger.error({ event: 'project_folder_not_loaded', err: error, problems })
      },
    )
    this.watching.start(INTERVAL_MS)
  }

  close(): Promise<void> {
    return this.watching.stop()
  }

  private async look(): Promise<void> {
    const { definitions, projects, read } = this.options
    const files = await read()
    const now = JSON.stringify(files)
    if (now === this.seen) return
    const { changed, warnings } = await loadFolder(definitions, {
      files,
      takesPolicies: false,
    }).catch((error: unknown) => {
      // Anything else passes, and the change is still to be loaded.
      if (error instanceof AppError && error.code === 'INVALID_PROJECT') this.seen = now
      throw error
    })
    this.seen = now
    for (const warning of warnings) this.logger.warn(warning)
    if (!changed) return
    projects.replace(changed)
    this.logger.log({ event: 'project_folder_loaded', revision: changed.revision })
  }
}
