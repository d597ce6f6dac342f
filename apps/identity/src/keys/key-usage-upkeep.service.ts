import { Inject, Injectable } from '@nestjs/common'
import { Database } from '@olytix/postgres'
import { untilFew, Upkeep } from '../upkeep/upkeep.js'
import { deleteUsageBefore } from './key-usage.queries.js'
import { KEYS_OPTIONS, type KeysOptions } from './keys.options.js'

const INTERVAL_MS = 3_600_000
const DAY_MS = 86_400_000

/** Usage by the hour is kept so long: a year can be compared with the one before. */
export const USAGE_KEPT_DAYS = 400

/** Deletes usage that is too old, every hour. */
@Injectable()
export class KeyUsageUpkeepService extends Upkeep {
  constructor(database: Database, @Inject(KEYS_OPTIONS) options: KeysOptions) {
    super(INTERVAL_MS, {
      key_usage: () => {
        const before = new Date(options.now().getTime() - USAGE_KEPT_DAYS * DAY_MS)
        return untilFew((limit) => deleteUsageBefore(database, before, limit))
      },
    })
  }
}
