import { fileURLToPath } from 'node:url'
import { Logger } from '@nestjs/common'
import { Database, demandServiceRole, migrate } from '@olytix/postgres'
import type { QueryApiConfig } from './config.js'

const MIGRATIONS = fileURLToPath(new URL('../migrations', import.meta.url))

/**
 * The service's own database, brought up to date first if its owner is known.
 * @throws Error when the role could get around grants, AppError UNAVAILABLE when the database does not answer
 */
export async function openDatabase(config: QueryApiConfig): Promise<Database> {
  const ownerUrl = config.OLYTIX_DATABASE__OWNER_URL
  if (ownerUrl !== undefined) await migrate(ownerUrl.reveal(), MIGRATIONS)
  const logger = new Logger('database')
  const database = new Database({
    url: config.OLYTIX_DATABASE__URL.reveal(),
    onError: (error) => {
      logger.warn(error)
    },
  })
  try {
    await demandServiceRole(database)
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}
