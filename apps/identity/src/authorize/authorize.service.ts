import { Inject, Injectable } from '@nestjs/common'
import { parseApiKey } from '@olytix/auth-guards/api-key'
import { KeysService } from '../keys/keys.service.js'
import { AccessTokensService } from '../tokens/access-tokens.service.js'
import { AUTHORIZE_OPTIONS, type AuthorizeOptions } from './authorize.options.js'
import { BookkeepingService, type Question } from './bookkeeping.service.js'
import { decide, type Decision, denied, type DenialReason } from './decide.js'
import { heldKey } from './held-key.js'
import { heldSession } from './held-session.js'

/**
 * Who is calling, and may they: credential → key or session → principal → decision.
 *
 * 1. The text is read as an API key (pattern and checksum) or as an access token (form, signature, claims). What is
 *    neither is denied here; the database never hears of it.
 * 2. The key is found by its SHA-256, the session by the token's `sid`, in one statement that also reads the roles of
 *    the user behind it, so that a role taken away narrows every credential at once.
 * 3. `decide` judges it, a pure function: ended, wrong address, missing scope, or allowed.
 * 4. A key's rate limit is counted, in memory. The use is noted there too, a denial is logged with its true reason.
 *    Nothing is written on the way.
 *
 * Whoever needs a decision asks here: other services by `Authorize`, our own management calls through the guard.
 */
@Injectable()
export class AuthorizeService {
  constructor(
    private readonly keys: KeysService,
    private readonly tokens: AccessTokensService,
    private readonly bookkeeping: BookkeepingService,
    @Inject(AUTHORIZE_OPTIONS) private readonly options: AuthorizeOptions,
  ) {}

  /**
   * A denial is an answer.
   * @throws AppError UNAVAILABLE when it cannot be decided, because the database does not answer
   */
  async authorize(question: Question): Promise<Decision> {
    return this.bookkeeping.settle(question, await this.judge(question))
  }

  private async judge(question: Question): Promise<Decision> {
    if (question.credential === '') return denied(absence(question))
    const presented = parseApiKey(question.credential)
    if (!presented) return this.judgeToken(question)
    const key = await this.keys.findHeldKey(presented)
    if (!key) return denied('unknown_credential')
    return decide(heldKey(key, question.clientIp), question, this.options.now())
  }

  private async judgeToken(question: Question): Promise<Decision> {
    const { credential, source } = question
    // Only keys may come in the query string; a token there is refused for its way, whatever it is.
    if (source !== 'header') {
      return denied(credential.includes('.') ? 'source_not_allowed' : 'malformed_credential')
    }
    const token = await this.tokens.findHeldToken(credential)
    if ('denialReason' in token) return denied(token.denialReason)
    return decide(heldSession(token), question, this.options.now())
  }
}

/** A guard that takes no key from the query string at all keeps it to itself, and says where it was. */
function absence({ source }: Question): DenialReason {
  return source === 'header' ? 'missing_credential' : 'source_not_allowed'
}
