import { Injectable } from '@nestjs/common'
import { PassportStrategy } from '@nestjs/passport'
import { Strategy as CustomStrategy } from 'passport-custom'
import { ExtractJwt, Strategy as PassportJwtStrategy } from 'passport-jwt'
import type { Authorizer, AuthorizeQuestion, Verdict } from './authorizer.js'
import type { AuthenticatedRequest } from './authenticated-request.js'

/** Handed to Passport's strategies by the guard, per request: strategies are global, an app's authorizer is not. */
export interface StrategyOptions {
  readonly authorizer: Authorizer
  readonly question: AuthorizeQuestion
}

export const API_KEY_STRATEGY = 'olytix-api-key'
export const JWT_STRATEGY = 'olytix-jwt'

/** A JWT has dots, an API key of ours has none; anything else is looked at as a key and refused by its shape. */
export function strategyFor(credential: string): string {
  return credential.includes('.') ? JWT_STRATEGY : API_KEY_STRATEGY
}

/** API keys, from the header or the query parameter. Success carries the verdict, whatever it is. */
@Injectable()
export class ApiKeyStrategy extends PassportStrategy(CustomStrategy, API_KEY_STRATEGY) {
  constructor() {
    super({ passOptionsToCallback: true })
  }

  validate(_request: AuthenticatedRequest, options: StrategyOptions): Promise<Verdict> {
    return options.authorizer.authorize(options.question)
  }
}

const bearerToken = ExtractJwt.fromAuthHeaderAsBearerToken()

/**
 * JWTs: passport-jwt's extractor finds the token, identity's one verifier checks it. passport-jwt's own verifier
 * (jsonwebtoken) never runs, since it ignores `crit` and takes payloads that are no claims.
 */
@Injectable()
export class JwtStrategy extends PassportStrategy(PassportJwtStrategy, JWT_STRATEGY) {
  constructor() {
    super({
      jwtFromRequest: bearerToken,
      secretOrKeyProvider: (_request: unknown, _token: unknown, done: (error: Error) => void) => {
        done(new Error('tokens are verified by identity'))
      },
    })
  }

  override authenticate(request: Parameters<typeof bearerToken>[0], options?: unknown): void {
    if (!isStrategyOptions(options)) throw new Error('only the access guard runs this strategy')
    const { authorizer, question } = options
    const text = bearerToken(request) ?? question.credential.text
    const asked = { ...question, credential: { ...question.credential, text } }
    authorizer.authorize(asked).then(
      (verdict) => {
        this.success(verdict)
      },
      (error: unknown) => {
        this.error(error instanceof Error ? error : new Error('authorize failed', { cause: error }))
      },
    )
  }

  validate(): never {
    throw new Error('tokens are verified by identity')
  }
}

function isStrategyOptions(options: unknown): options is StrategyOptions {
  return typeof options === 'object' && options !== null && 'authorizer' in options
}
