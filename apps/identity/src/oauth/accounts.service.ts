import { isDeepStrictEqual } from 'node:util'
import { Injectable } from '@nestjs/common'
import { AppError } from '@olytix/errors'
import { Database, type Queryable } from '@olytix/postgres'
import type { Origin } from '../audit/origin.js'
import { canonicalEmail } from '../users/email.js'
import { RolesService } from '../users/roles.service.js'
import { UsersService } from '../users/users.service.js'
import { type AccountDecision, decideAccount } from './decide-account.js'
import { type Account, IdentitiesService } from './identities.service.js'
import { grantable, type Grants, mapClaims } from './map-claims.js'
import { type AccountRefusal, notAllowed } from './oauth.errors.js'
import type { ProviderSettings } from './provider-settings.js'
import type { ProviderProfile } from './providers/provider.js'

/** Whose sign-in a provider has confirmed. */
interface Confirmed {
  readonly profile: ProviderProfile
  readonly settings: ProviderSettings
  readonly origin: Origin
}

type Decision = AccountDecision<Account>
type Creation = Extract<Decision, { readonly kind: 'create' }>

/** Accounts of people who sign in with a provider. */
@Injectable()
export class AccountsService {
  constructor(
    private readonly database: Database,
    private readonly users: UsersService,
    private readonly roles: RolesService,
    private readonly identities: IdentitiesService,
  ) {}

  /**
   * The account of somebody whom a provider has confirmed: found, linked or made, with the roles and attributes that
   * their claims give now. All of it in one transaction: nothing is left of a sign-in that is refused. One after the
   * other, and in turn with whoever changes admins.
   * @throws AppError FORBIDDEN
   */
  enter(confirmed: Confirmed): Promise<Pick<Account, 'id' | 'epoch'>> {
    return this.database.transaction(async (transaction) => {
      await this.roles.lockAdmins(transaction)
      const decision = await this.decide(transaction, confirmed)
      switch (decision.kind) {
        case 'refuse':
          throw refusal(confirmed, decision.reason, decision.account?.id)
        case 'create':
          return this.create(transaction, decision, confirmed)
        case 'link': {
          const account = await this.refresh(transaction, decision.account, confirmed)
          await this.link(transaction, account.id, confirmed)
          return account
        }
        case 'sign_in':
          return this.refresh(transaction, decision.account, confirmed)
      }
    })
  }

  private async decide(
    transaction: Queryable,
    { profile, settings }: Confirmed,
  ): Promise<Decision> {
    const linked = await this.identities.findLinked(transaction, profile)
    const email = canonicalEmail(profile.email ?? '')
    const local =
      linked || email === undefined
        ? undefined
        : await this.identities.findByEmail(transaction, email, profile)
    return decideAccount(profile, { linked, local }, settings.allowedDomains)
  }

  private async create(
    transaction: Queryable,
    { email, emailCanonical }: Creation,
    confirmed: Confirmed,
  ): Promise<Account> {
    const { profile, settings, origin } = confirmed
    const known = await this.roles.scopesByRole(transaction)
    const mapping = settings.claims
    const first = {
      roles: grantable(settings.defaultRoles, known, mapping.allowAdmin),
      attributes: {},
    }
    const user = {
      ...mapClaims(profile.claims, first, { mapping, known }),
      email,
      emailCanonical,
      emailVerified: true,
      name: profile.name ?? email,
      passwordHash: null,
      disabled: false,
    }
    const inserted = this.users.insertUser(transaction, user, origin)
    const id = await orRefuse(inserted, () => refusal(confirmed, 'address_taken'))
    await this.link(transaction, id, confirmed)
    const account = await this.identities.findLinked(transaction, profile)
    if (!account) throw new Error('an account that was just linked is gone')
    return account
  }

  private link(
    transaction: Queryable,
    userId: string,
    { profile, settings, origin }: Confirmed,
  ): Promise<void> {
    const link = { userId, provider: settings.name }
    return this.identities.link(transaction, profile, link, origin)
  }

  /** What the claims give now. An account of which they change nothing is not touched. */
  private async refresh(
    transaction: Queryable,
    account: Account,
    confirmed: Confirmed,
  ): Promise<Account> {
    const { profile, settings, origin } = confirmed
    const known = await this.roles.scopesByRole(transaction)
    const present: Grants = { roles: account.roles, attributes: account.attributes }
    const changes = mapClaims(profile.claims, present, { mapping: settings.claims, known })
    if (isDeepStrictEqual(changes, present)) return account
    const change = { id: account.id, changes, by: `oauth:${settings.name}` }
    const changed = this.users.changeUser(transaction, change, origin)
    await orRefuse(changed, () => refusal(confirmed, 'last_admin', account.id))
    return account
  }
}

function refusal({ settings }: Confirmed, reason: AccountRefusal, userId?: string): AppError {
  return notAllowed(reason, { provider: settings.name, userId })
}

/** What others did meanwhile, or must not be left without, refuses the sign-in. */
async function orRefuse<T>(work: Promise<T>, refuse: () => AppError): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw error instanceof AppError && error.code === 'CONFLICT' ? refuse() : error
  }
}
