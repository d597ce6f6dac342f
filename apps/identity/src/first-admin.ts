import { Injectable, Logger } from '@nestjs/common'
import { Database } from '@olytix/postgres'
import type { Origin } from './audit/origin.js'
import type { IdentitySettings } from './config.js'
import { parseApiKey } from '@olytix/auth-guards/api-key'
import { KeysService } from './keys/keys.service.js'
import { canonicalEmail } from './users/email.js'
import { RolesService } from './users/roles.service.js'
import { UsersService } from './users/users.service.js'

type Bootstrap = Pick<
  IdentitySettings,
  | 'OLYTIX_BOOTSTRAP__ADMIN_EMAIL'
  | 'OLYTIX_BOOTSTRAP__ADMIN_PASSWORD'
  | 'OLYTIX_BOOTSTRAP__ADMIN_API_KEY'
>

const BY_THE_SERVICE: Origin = { principal: null, requestId: 'bootstrap', clientIp: null }

/** Makes the first admin, once in the life of a database. */
@Injectable()
export class FirstAdmin {
  private readonly logger = new Logger('bootstrap')

  constructor(
    private readonly database: Database,
    private readonly roles: RolesService,
    private readonly users: UsersService,
    private readonly keys: KeysService,
  ) {}

  /**
   * Makes the admin that the settings describe, with a key if they hold one. Does nothing once an admin exists; several
   * processes that start at once make one. Without settings and without an admin it says what to set.
   */
  async ensure(settings: Bootstrap): Promise<void> {
    const {
      OLYTIX_BOOTSTRAP__ADMIN_EMAIL: email,
      OLYTIX_BOOTSTRAP__ADMIN_PASSWORD: password,
      OLYTIX_BOOTSTRAP__ADMIN_API_KEY: apiKey,
    } = settings
    if (await this.roles.hasAdmin(this.database)) return
    if (email === undefined || !password) {
      this.logger.warn(
        'There is no admin yet, so nobody can manage anything: set OLYTIX_BOOTSTRAP__ADMIN_EMAIL and OLYTIX_BOOTSTRAP__ADMIN_PASSWORD and start again',
      )
      return
    }
    const admin = {
      email,
      emailCanonical: canonicalEmail(email) ?? email,
      emailVerified: false,
      name: 'First admin',
      roles: ['admin'],
      attributes: {},
      disabled: false,
    }
    const user = await this.users.prepare(admin, password.reveal())
    const key = apiKey && parseApiKey(apiKey.reveal())
    await this.database.transaction(async (transaction) => {
      await this.roles.lockAdmins(transaction)
      if (await this.roles.hasAdmin(transaction)) return
      const id = await this.users.insertUser(transaction, user, BY_THE_SERVICE)
      if (key) await this.keys.createFirstKey(transaction, key, id, BY_THE_SERVICE)
      this.logger.log({ event: 'first_admin_created', user_id: id, with_key: key !== undefined })
    })
  }
}
