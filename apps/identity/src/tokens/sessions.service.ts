import { Inject, Injectable } from '@nestjs/common'
import type { Principal } from '@olytix/auth-guards'
import { unauthorized, unavailable } from '@olytix/errors'
import { Database, newId, type Queryable } from '@olytix/postgres'
import { AuditService } from '../audit/audit.service.js'
import type { Origin, PrincipalOrigin } from '../audit/origin.js'
import { withImplied } from '../scopes/scopes.js'
import { type RefreshParts } from './refresh-token.js'
import { refreshStep } from './refresh-step.js'
import {
  advanceSession,
  deleteOldSessions,
  endSession,
  findHeldSession,
  findRefreshable,
  findSubject,
  type HeldSessionRow,
  insertSession,
  keepSession,
  listSessions,
  type RefreshableRow,
  type SessionRow,
  type SubjectRow,
} from './sessions.queries.js'
import { type Issue, TokenFactory, type TokenPair } from './token-factory.js'
import { sessionNotFound } from './tokens.errors.js'
import { daysAfter, TOKENS_OPTIONS, type TokensOptions } from './tokens.options.js'

/** Who has proved who they are, and how. */
export interface SignIn {
  readonly userId: string
  /** The user's epoch when the proof was read: a change since then voids it. */
  readonly epoch: number
  /** `password`, `oauth:google` … */
  readonly method: string
  readonly userAgent: string
}

/** A session that has just begun. */
export interface BegunSession {
  readonly id: string
  readonly tokens: TokenPair
}

/** A session with all that a decision needs, as of one moment. */
export type HeldSession = HeldSessionRow

interface WhichSession {
  readonly id: string
  /** Only if it is this user's. */
  readonly userId: string | null
}

/** Why a session ends. */
interface Ending {
  readonly type: 'session_revoked' | 'refresh_reuse_detected'
  readonly reason?: string
}

/** Tries to take the next step of a session before giving up; each loser of a race sees the winner's step. */
const MAX_TRIES = 3

const RETENTION_DAYS = 1

/** Sign-ins: begin, refresh, list, end. One row each, however often it is refreshed. */
@Injectable()
export class SessionsService {
  constructor(
    private readonly database: Database,
    private readonly factory: TokenFactory,
    private readonly audit: AuditService,
    @Inject(TOKENS_OPTIONS) private readonly options: TokensOptions,
  ) {}

  /**
   * Begins a session: every way of signing in ends here, and here the user is read again.
   * @throws AppError UNAUTHORIZED when the user was disabled, deleted or given another password meanwhile
   */
  async issueSession(signIn: SignIn, origin: Origin): Promise<BegunSession> {
    const { userId, epoch, method, userAgent } = signIn
    const subject = await findSubject(this.database, userId, this.options.algorithm)
    if (!subject || subject.user_ended) throw unauthorized('the user has ended')
    const at = this.options.now()
    const id = newId('ses', at)
    const issue = this.factory.issue(subject, { sessionId: id, at })
    const tokens = await this.factory.pair(issue, { sessionId: id, counter: 0 })
    const expiresAt = daysAfter(at, this.options.absoluteDays)
    const session = { ...issue, id, userId, epoch, method, userAgent, expiresAt }
    await this.database.transaction(async (transaction) => {
      const row = { ...session, at, clientIp: origin.clientIp }
      if (!(await insertSession(transaction, row))) throw unauthorized('the user has changed')
      await this.audit.record(
        transaction,
        {
          type: 'session_created',
          subjectKind: 'session',
          subjectId: id,
          data: { user_id: userId, method },
        },
        { ...origin, principal: principalOf(subject) },
      )
    })
    return { id, tokens }
  }

  /**
   * Takes the next step of a session, or repeats the last one for a retry. A refresh leaves no event: it says nothing
   * that its session has not said. Reuse of an old token ends the session, and that is recorded.
   * @throws AppError UNAUTHORIZED
   */
  async refresh(
    { sessionId, counter }: RefreshParts,
    presentedKeyId: string,
    origin: Origin,
  ): Promise<TokenPair> {
    const { algorithm } = this.options
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const query = { presentedKeyId, algorithm }
      const session = await findRefreshable(this.database, sessionId, query)
      if (!session) throw unauthorized('no such session')
      const step = refreshStep(session, counter, this.bounds())
      if (step === 'refuse') throw unauthorized('the session is over')
      if (step === 'reuse') return await this.endForReuse(session, origin)
      if (step === 'repeat') return await this.repeat(session)
      const pair = await this.advance(session, origin)
      if (pair) return pair
    }
    throw unavailable('The session', 'lost every race for its next step')
  }

  /** Ends the session of a genuine refresh token, current or old. Says nothing about whether there was one. */
  async endByToken({ sessionId }: RefreshParts, origin: Origin): Promise<void> {
    await this.end({ id: sessionId, userId: null }, { type: 'session_revoked' }, origin)
  }

  /** Ends a session, if it is live, in the caller's transaction. @param reason for the audit trail */
  async endSession(
    transaction: Queryable,
    id: string,
    reason: string,
    origin: Origin,
  ): Promise<void> {
    await this.endIn(transaction, { id, userId: null }, { type: 'session_revoked', reason }, origin)
  }

  /** Live sessions of a user, newest first. @returns one page and, unless it is the last, the id to go on from */
  async listSessions(
    userId: string,
    pageSize: number,
    beforeId: string | null,
  ): Promise<{ readonly sessions: readonly SessionRow[]; readonly nextId: string | null }> {
    const page = { ...this.bounds(), beforeId, limit: pageSize + 1 }
    const rows = await listSessions(this.database, userId, page)
    const sessions = rows.slice(0, pageSize)
    return { sessions, nextId: rows.length > pageSize ? (sessions.at(-1)?.id ?? null) : null }
  }

  /** @throws AppError NOT_FOUND, also for somebody else's and for one that is over */
  async revokeSession(id: string, origin: PrincipalOrigin): Promise<void> {
    const which = { id, userId: origin.principal.id }
    const ended = await this.end(which, { type: 'session_revoked' }, origin)
    if (!ended) throw sessionNotFound()
  }

  /** Deletes sessions that have been over for a day. @returns how many of at most `limit` */
  reap(limit: number): Promise<number> {
    const since = daysAfter(this.options.now(), -RETENTION_DAYS)
    const idleSince = daysAfter(since, -this.options.idleDays)
    return deleteOldSessions(this.database, { since, idleSince, limit })
  }

  /** Lets one session outlive a change of its user's epoch, in the transaction of that change. */
  keepSession(transaction: Queryable, id: string): Promise<void> {
    return keepSession(transaction, id)
  }

  /** The session that a token names, whatever its state, with all that a decision needs. One statement. */
  findHeldSession(
    { sid, sub }: { readonly sid: string; readonly sub: string },
    keyId: string,
  ): Promise<HeldSession | undefined> {
    return findHeldSession(this.database, { sid, sub, keyId })
  }

  private async advance(session: RefreshableRow, origin: Origin): Promise<TokenPair | undefined> {
    const { id, counter, subject } = session
    const { now: at, idleSince } = this.bounds()
    const issue = this.factory.issue(subject, { sessionId: id, at })
    const pair = await this.factory.pair(issue, { sessionId: id, counter: counter + 1 })
    const issued = { ...issue, at, clientIp: origin.clientIp }
    const won = await advanceSession(this.database, { id, counter, idleSince }, issued)
    return won ? pair : undefined
  }

  private repeat(session: RefreshableRow): Promise<TokenPair> {
    const issue: Issue = {
      accessPayload: session.access_payload,
      accessKeyId: session.latest_access_key_id,
      refreshKeyId: session.latest_refresh_key_id,
    }
    return this.factory.pair(issue, { sessionId: session.id, counter: session.counter })
  }

  private async endForReuse({ id }: RefreshableRow, origin: Origin): Promise<never> {
    await this.end({ id, userId: null }, { type: 'refresh_reuse_detected' }, origin)
    throw unauthorized('a refresh token was used again')
  }

  /** @returns whether it was live until now */
  private end(which: WhichSession, why: Ending, origin: Origin): Promise<boolean> {
    return this.database.transaction((transaction) => this.endIn(transaction, which, why, origin))
  }

  private async endIn(
    transaction: Queryable,
    which: WhichSession,
    { type, reason }: Ending,
    origin: Origin,
  ): Promise<boolean> {
    const ended = await endSession(transaction, { ...which, at: this.options.now() })
    if (!ended) return false
    const data = { user_id: ended.user_id, ...(reason !== undefined && { reason }) }
    const event = { type, subjectKind: 'session', subjectId: ended.id, data } as const
    await this.audit.recordChange(transaction, event, origin)
    return true
  }

  private bounds(): { readonly now: Date; readonly idleSince: Date } {
    const now = this.options.now()
    return { now, idleSince: daysAfter(now, -this.options.idleDays) }
  }
}

function principalOf(subject: SubjectRow): Principal {
  const { user_id: id, email, name, roles, attributes } = subject
  const scopes = withImplied(subject.scopes)
  return { id, kind: 'user', email, name, roles, attributes, scopes, expiresAt: null }
}
