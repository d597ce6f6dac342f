import { Logger } from '@nestjs/common'
import { Repeated } from '@olytix/observability'
import type { Database } from '@olytix/postgres'
import { type CurrentProject, PROJECT_CHANNEL } from '../project/current-project.js'
import type { Definitions } from './definitions.service.js'

const POLL_MS = 250

/**
 * Keeps the project of this replica up with the newest revision and with what was built, whoever did that. A notification is only a hint to look
 * at once: one that is lost costs `POLL_MS`. While the database does not answer, the project stays as it is.
 */
export class RevisionFollower {
  private readonly logger = new Logger('definitions')
  private readonly polling: Repeated
  private hints: { stop: () => void } | undefined
  private isListening = false
  private isClosed = false

  constructor(
    private readonly database: Database,
    private readonly definitions: Definitions,
    private readonly current: CurrentProject,
  ) {
    this.polling = new Repeated(
      () => this.poll(),
      (error) => {
        this.logger.error({ event: 'revision_not_taken', err: error })
      },
    )
    this.polling.start(POLL_MS)
  }

  async close(): Promise<void> {
    this.isClosed = true
    await this.polling.stop()
    this.hints?.stop()
  }

  private async poll(): Promise<void> {
    // Together: whoever gets no connection for hints still looks.
    await Promise.all([this.definitions.refresh(this.current), this.listen()])
  }

  private async listen(): Promise<void> {
    if (this.isListening || this.isClosed) return
    this.hints = await this.database.listen(
      PROJECT_CHANNEL,
      () => {
        this.refresh()
      },
      () => {
        this.isListening = false
      },
    )
    this.isListening = true
  }

  /** What fails here is tried again, and told, by the next poll. */
  private refresh(): void {
    this.definitions.refresh(this.current).catch(() => undefined)
  }
}
