import { Inject, Injectable } from '@nestjs/common'
import { Database } from '@olytix/postgres'
import type { Origin } from '../audit/origin.js'
import { type BegunSession, SessionsService } from '../tokens/sessions.service.js'
import { beginSession } from './begin-session.js'
import {
  type CodeRow,
  deleteOldCodes,
  insertCode,
  markReplayed,
  type NewCodeRow,
  takeCode,
  tieSession,
} from './codes.queries.js'
import { challengeOf, hashSecret, makeSecret } from './flow-secret.js'
import { notProven } from './oauth.errors.js'
import { OAUTH_OPTIONS, type OAuthOptions } from './oauth.options.js'

/** A code and what it was made for. */
export interface PresentedCode {
  readonly code: string
  readonly codeVerifier: string
  readonly userAgent: string
}

const TTL_MS = 60_000

/** How long a second use is known as one. */
const KEPT_MS = 86_400_000

/** One-time codes: what a browser carries to an app, which exchanges it for tokens. */
@Injectable()
export class CodesService {
  constructor(
    private readonly database: Database,
    private readonly sessions: SessionsService,
    @Inject(OAUTH_OPTIONS) private readonly options: OAuthOptions,
  ) {}

  /** A code for whoever proves to know what the challenge was made from. Good for 60 s. */
  async issue(
    proof: Pick<NewCodeRow, 'userId' | 'epoch' | 'method' | 'codeChallenge'>,
  ): Promise<string> {
    const code = `code_${makeSecret()}`
    const createdAt = this.options.now()
    const expiresAt = new Date(createdAt.getTime() + TTL_MS)
    await insertCode(this.database, { ...proof, codeHash: hashSecret(code), createdAt, expiresAt })
    return code
  }

  /**
   * Exchanges a code for a session. The first use is the only one, with the right verifier or not; any other ends the
   * session that the first began, even while that is still beginning.
   * @throws AppError UNAUTHORIZED
   */
  async redeem(
    { code, codeVerifier, userAgent }: PresentedCode,
    origin: Origin,
  ): Promise<BegunSession['tokens']> {
    const codeHash = hashSecret(code)
    const at = this.options.now()
    const taken = await takeCode(this.database, codeHash, at)
    if (!taken) return this.refuseReuse(codeHash, at, origin)
    const { user_id: userId, epoch, method } = taken
    demandProof(taken, codeVerifier, at)
    const signIn = { userId, epoch, method, userAgent }
    const session = await beginSession(this.sessions, signIn, origin)
    await this.tie(codeHash, { userId, session }, origin)
    return session.tokens
  }

  /** Deletes codes that are over for a day. @returns how many of at most `limit` */
  reap(limit: number): Promise<number> {
    const before = new Date(this.options.now().getTime() - KEPT_MS)
    return deleteOldCodes(this.database, { before, limit })
  }

  private async refuseReuse(codeHash: Buffer, at: Date, origin: Origin): Promise<never> {
    const replayed = await this.database.transaction(async (transaction) => {
      const row = await markReplayed(transaction, codeHash, at)
      const sessionId = row?.session_id ?? null
      if (sessionId !== null) {
        await this.sessions.endSession(transaction, sessionId, 'reused_code', origin)
      }
      return row
    })
    throw replayed
      ? notProven('reused_code', { userId: replayed.user_id })
      : notProven('unknown_code')
  }

  /** @throws AppError UNAUTHORIZED when the code was used again before the session was known here */
  private async tie(
    codeHash: Buffer,
    { userId, session }: { readonly userId: string; readonly session: BegunSession },
    origin: Origin,
  ): Promise<void> {
    const isReplayed = await this.database.transaction(async (transaction) => {
      const replayed = await tieSession(transaction, codeHash, session.id)
      if (replayed) {
        await this.sessions.endSession(transaction, session.id, 'reused_code', origin)
      }
      return replayed
    })
    if (isReplayed) throw notProven('reused_code', { userId })
  }
}

function demandProof(code: CodeRow, codeVerifier: string, at: Date): void {
  const userId = code.user_id
  if (code.expires_at <= at) throw notProven('expired_code', { userId })
  if (challengeOf(codeVerifier) !== code.code_challenge) {
    throw notProven('wrong_code_verifier', { userId })
  }
}
