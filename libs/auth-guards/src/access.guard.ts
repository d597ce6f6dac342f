import { type ExecutionContext, Inject, Injectable, Logger } from '@nestjs/common'
import { Reflector } from '@nestjs/core'
import { AuthGuard } from '@nestjs/passport'
import { AppError, forbidden, invalidRequest, unauthorized } from '@olytix/errors'
import type { FastifyReply } from 'fastify'
import { ACCESS, type Access } from './access.js'
import type { AuthenticatedRequest } from './authenticated-request.js'
import {
  AUTHORIZER,
  type Authorizer,
  type AuthorizeQuestion,
  type RateLimit,
  type Verdict,
} from './authorizer.js'
import { canonicalAddress } from './client-address.js'
import { type Credential, presentedCredential } from './presented-credential.js'
import type { Principal, Scope } from './principal.js'
import { API_KEY_STRATEGY, JWT_STRATEGY, strategyFor, type StrategyOptions } from './strategies.js'

/** RFC 6750 §3: no `error` when no credential came. */
const CHALLENGE = 'Bearer realm="olytix-core"'

/** What an app lets callers do. */
export interface AccessOptions {
  /** Whether `?api_key=` works at all. */
  readonly allowQueryParameter: boolean
  /** Told of every principal who lacks what a route demands, before they are refused. Must not throw. */
  readonly onRefusal?: (refusal: Refusal) => Promise<void>
}

/** A principal may not do what they ask for. */
export interface Refusal {
  readonly principal: Principal
  readonly requestId: string
  readonly clientIp: string
  /** `POST /api/v1/query` */
  readonly resource: string
  readonly reason: string
}

type Demand = Extract<Access, { kind: 'authenticated' }>

export const ACCESS_OPTIONS = Symbol('AccessOptions')

const ApiKeyGuard = AuthGuard(API_KEY_STRATEGY)
const JwtGuard = AuthGuard(JWT_STRATEGY)

/** Runs the Passport strategy for the kind of credential and gives its verdict. */
async function verdictOf(context: ExecutionContext, options: StrategyOptions): Promise<Verdict> {
  const Guard =
    strategyFor(options.question.credential.text) === JWT_STRATEGY ? JwtGuard : ApiKeyGuard
  const guard = new Guard()
  let verdict: Verdict | undefined
  guard.getAuthenticateOptions = () => Object.assign({ session: false }, options)
  guard.handleRequest = <T>(error: unknown, given: T): T => {
    if (error instanceof Error) throw error
    if (error) throw new Error('the strategy failed', { cause: error })
    if (isVerdict(given)) verdict = given
    return given
  }
  await guard.canActivate(context)
  if (!verdict) throw new Error('the strategy gave no verdict')
  return verdict
}

function isVerdict(value: unknown): value is Verdict {
  return typeof value === 'object' && value !== null && 'decision' in value
}

/**
 * The one guard of an app. Default deny: a route that declares nothing is refused (and stops the start, see
 * `RouteAudit`). The Authorizer judges every request; if that fails, so does the request, with 503.
 */
@Injectable()
export class AccessGuard {
  private readonly logger = new Logger('access')

  constructor(
    private readonly reflector: Reflector,
    @Inject(AUTHORIZER) private readonly authorizer: Authorizer,
    @Inject(ACCESS_OPTIONS) private readonly options: AccessOptions,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const access = this.reflector.getAllAndOverride<Access | undefined>(ACCESS, [
      context.getHandler(),
      context.getClass(),
    ])
    if (!access) throw forbidden('the route declares no access')
    if (access.kind === 'public') return true
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>()
    request.credential = await this.credentialOf(request, context, access)
    request.principal = await this.principalOf(context, request, request.credential, access)
    return true
  }

  private async credentialOf(
    request: AuthenticatedRequest,
    context: ExecutionContext,
    demand: Demand,
  ): Promise<Credential> {
    const presented = presentedCredential({
      rawHeaders: request.raw.rawHeaders,
      query: request.query,
    })
    if (presented.kind === 'malformed') {
      throw invalidRequest([
        { path: 'authorization', message: `The request has ${presented.reason}` },
      ])
    }
    if (presented.kind === 'absent') {
      await this.tellOfAbsence(request, 'header', demand)
      throw unauthorized('no credential', { 'www-authenticate': CHALLENGE })
    }
    if (presented.credential.source === 'query_parameter') {
      context.switchToHttp().getResponse<FastifyReply>().header('cache-control', 'no-store')
      if (!this.options.allowQueryParameter) {
        await this.tellOfAbsence(request, 'query_parameter', demand)
        throw invalidToken('api_key in the query is switched off')
      }
    }
    return presented.credential
  }

  /**
   * So that this refusal, too, is in the audit trail; it stays one whatever becomes of that. Waited for, so that strangers
   * cannot have more calls under way than they have connections.
   */
  private async tellOfAbsence(
    request: AuthenticatedRequest,
    source: Credential['source'],
    demand: Demand,
  ): Promise<void> {
    const question = questionOf(request, { text: '', source }, { ...demand, fresh: true })
    try {
      await this.authorizer.authorize(question)
    } catch (error) {
      this.logger.warn({ event: 'refusal_not_told', request_id: request.id, err: error })
    }
  }

  private async principalOf(
    context: ExecutionContext,
    request: AuthenticatedRequest,
    credential: Credential,
    demand: Demand,
  ): Promise<Principal> {
    const question = questionOf(request, credential, demand)
    const verdict = await verdictOf(context, { authorizer: this.authorizer, question })
    if (verdict.decision === 'allow') return verdict.principal
    this.logger.log({
      event: 'access_denied',
      request_id: question.requestId,
      resource: question.resource,
      client_ip: question.clientIp,
      denial_reason: verdict.reason,
    })
    await this.tellOfRefusal(question, verdict)
    throw refusal(verdict, demand.scopes)
  }

  private async tellOfRefusal(
    { requestId, clientIp, resource }: AuthorizeQuestion,
    verdict: Exclude<Verdict, { decision: 'allow' }>,
  ): Promise<void> {
    if (verdict.decision !== 'refused' || !verdict.principal) return
    const { principal, reason } = verdict
    await this.options.onRefusal?.({ principal, requestId, clientIp, resource, reason })
  }
}

function questionOf(
  request: AuthenticatedRequest,
  credential: Credential,
  { scopes: requiredScopes, fresh = false }: Demand,
): AuthorizeQuestion {
  return {
    credential,
    requiredScopes,
    fresh,
    resource: `${request.method} ${request.routeOptions.url ?? ''}`,
    clientIp: canonicalAddress(request.ip),
    requestId: request.id,
  }
}

function refusal(
  verdict: Exclude<Verdict, { decision: 'allow' }>,
  required: readonly Scope[],
): AppError {
  if (verdict.decision === 'unidentified') return invalidToken(verdict.reason)
  if (verdict.decision === 'rate_limited') {
    return new AppError('RATE_LIMITED', 'Too many requests for this credential', {
      cause: verdict.reason,
      headers: rateLimitHeaders(verdict.limit),
    })
  }
  const scope = required.join(' ')
  return forbidden(verdict.reason, {
    'www-authenticate': `${CHALLENGE}, error="insufficient_scope"${scope && `, scope="${scope}"`}`,
  })
}

/** `Retry-After` of RFC 9110 §10.2.3, the others of draft-ietf-httpapi-ratelimit-headers. */
function rateLimitHeaders(limit: RateLimit | null): Record<string, string> {
  if (!limit) return { 'retry-after': '1' }
  const { requests, perSeconds, remaining } = limit
  const resetAfter = String(Math.max(1, Math.ceil(limit.resetAfterMs / 1000)))
  return {
    'retry-after': resetAfter,
    ratelimit: `"key";r=${String(remaining)};t=${resetAfter}`,
    'ratelimit-policy': `"key";q=${String(requests)};w=${String(perSeconds)}`,
  }
}

function invalidToken(cause: string): AppError {
  return unauthorized(cause, { 'www-authenticate': `${CHALLENGE}, error="invalid_token"` })
}
