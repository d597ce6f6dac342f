import { unavailable } from '@olytix/errors'
import type { Answer } from '../answer.js'
import type { Authorizer, AuthorizeQuestion, Verdict } from '../authorizer.js'
import { type Clock, systemClock } from '../clock.js'
import type { IdentityCalls } from '../identity-calls.js'
import type { Principal } from '../principal.js'
import { cacheKey } from './cache-key.js'
import { type ChangeListener, InvalidationWatch } from './invalidation-watch.js'
import { type Known, PrincipalCache } from './principal-cache.js'
import { UseLedger } from './use-ledger.js'

interface CachingOptions {
  readonly clock?: Clock
  /** From 0 to 1, for the waits between attempts. */
  readonly random?: () => number
  readonly maxEntries?: number
}

/** Reasons that no change takes back. */
const ENDED: ReadonlySet<string> = new Set(['revoked_credential', 'expired_credential'])

/**
 * Asks identity once per credential and then remembers who that is, for as long as identity allows and for as long as
 * it hears of all changes. Each request is judged by itself, and only ever let pass from memory: every refusal is
 * identity's own, with its true reason in the audit trail.
 */
export class CachingAuthorizer implements Authorizer {
  private readonly cache: PrincipalCache
  private readonly watch: InvalidationWatch
  private readonly uses: UseLedger
  /** Questions that are under way and whose answers may serve others. */
  private readonly flights = new Map<string, Promise<Answer>>()

  constructor(
    private readonly identity: IdentityCalls,
    { clock = systemClock, random = Math.random, maxEntries }: CachingOptions = {},
  ) {
    this.cache = new PrincipalCache(clock, maxEntries)
    this.uses = new UseLedger(identity, clock)
    this.watch = new InvalidationWatch(identity, this.changeListener(), clock, random)
  }

  /** Begins to hear of changes. Until then every request is asked about. */
  start(): void {
    this.watch.start()
  }

  async authorize(question: AuthorizeQuestion): Promise<Verdict> {
    const name = cacheKey(question.credential)
    if (question.fresh || !this.watch.isInformed()) return this.ask(name, question)
    const known = this.cache.find(name)
    if (known) return this.judge(known, name, question)
    const flight = this.flights.get(name)
    if (!flight) return this.lead(name, question)
    await verdictOf(flight)
    const found = this.watch.isInformed() ? this.cache.find(name) : undefined
    return this.judge(found, name, question)
  }

  /** Somebody who calls through us has seen this revision: from now on nothing older serves anybody. */
  expectRevision(revision: number): void {
    if (this.cache.expect(revision)) this.flights.clear()
  }

  /** Reports what was used, and stops. */
  async close(): Promise<void> {
    this.watch.stop()
    await this.uses.close()
  }

  /** Lets pass whom we know and who has the scopes; about all else identity is asked. */
  private judge(known: Known | undefined, name: string, question: AuthorizeQuestion) {
    if (!known || known === 'ended' || !covers(known, question)) return this.ask(name, question)
    if (known.kind === 'api_key') this.uses.note(known.id, question.clientIp)
    return Promise.resolve<Verdict>({ decision: 'allow', principal: known })
  }

  private ask(name: string, question: AuthorizeQuestion): Promise<Verdict> {
    return verdictOf(this.answer(name, question))
  }

  /** Asks for everybody who comes with the same credential meanwhile. What they may do is each one's own. */
  private async lead(name: string, question: AuthorizeQuestion): Promise<Verdict> {
    const flight = this.answer(name, question)
    this.flights.set(name, flight)
    try {
      return await verdictOf(flight)
    } finally {
      if (this.flights.get(name) === flight) this.flights.delete(name)
    }
  }

  /** Identity's answer, and what it says of later requests is remembered. */
  private async answer(name: string, question: AuthorizeQuestion): Promise<Answer> {
    const asked = this.cache.ask()
    const answer = await this.identity.ask(question)
    const { verdict, reuse } = answer
    if (verdict.decision === 'allow')
      this.cache.keep(name, { ...reuse, principal: verdict.principal }, asked)
    else if (ENDED.has(verdict.reason)) this.cache.end(name, asked)
    return answer
  }

  /** Whoever comes after a change must not be served by a question from before it. */
  private changeListener(): ChangeListener {
    return {
      onChanges: (ids, revision) => {
        this.cache.drop(ids, revision)
        this.flights.clear()
      },
      onUnknown: (revision) => {
        this.cache.dropAll(revision)
        this.flights.clear()
      },
    }
  }
}

/** @throws AppError UNAVAILABLE, a new one for each who waits */
async function verdictOf(answer: Promise<Answer>): Promise<Verdict> {
  try {
    return (await answer).verdict
  } catch (error) {
    throw unavailable('The identity service', error)
  }
}

function covers({ scopes }: Principal, { requiredScopes }: AuthorizeQuestion): boolean {
  return requiredScopes.every((scope) => scopes.includes(scope))
}
