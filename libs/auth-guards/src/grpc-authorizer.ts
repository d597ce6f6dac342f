import { type ChannelCredentials, Metadata, status } from '@grpc/grpc-js'
import { unavailable } from '@olytix/errors'
import {
  AuthorizationServiceClient,
  AuthorizeRequest,
  AuthorizeResponse,
  type AttributeValue as WireAttribute,
  CredentialSource,
  Decision,
  DenialReason,
  PrincipalKind,
} from '@olytix/proto'
import type { Authorizer, AuthorizeQuestion, Verdict } from './authorizer.js'
import type { AttributeValue, Principal, Scope } from './principal.js'

interface GrpcAuthorizerOptions {
  /** `host:port` of identity. */
  readonly address: string
  readonly channel: ChannelCredentials
  /** Shared secret for service calls, if identity demands one. */
  readonly serviceToken: string | undefined
  /** Time for one attempt, in milliseconds; there is one more on UNAVAILABLE. */
  readonly deadlineMs?: number
}

const SOURCES = {
  header: CredentialSource.CREDENTIAL_SOURCE_HEADER,
  query_parameter: CredentialSource.CREDENTIAL_SOURCE_QUERY_PARAMETER,
} as const

const REFUSED: ReadonlySet<DenialReason> = new Set([
  DenialReason.DENIAL_REASON_INSUFFICIENT_SCOPE,
  DenialReason.DENIAL_REASON_ADDRESS_NOT_ALLOWED,
])

/** Asks identity's `Authorize`. Any trouble on the way, or an answer that makes no sense, is UNAVAILABLE. */
export class GrpcAuthorizer implements Authorizer {
  private readonly client: AuthorizationServiceClient
  private readonly metadata = new Metadata()
  private readonly deadlineMs: number

  constructor(options: GrpcAuthorizerOptions) {
    this.client = new AuthorizationServiceClient(options.address, options.channel, {
      'grpc.keepalive_time_ms': 30_000,
      'grpc.max_receive_message_length': 1024 * 1024,
    })
    if (options.serviceToken !== undefined) this.metadata.set('service-token', options.serviceToken)
    this.deadlineMs = options.deadlineMs ?? 500
  }

  async authorize(question: AuthorizeQuestion): Promise<Verdict> {
    const request = AuthorizeRequest.create({
      credential: question.credential.text,
      source: SOURCES[question.credential.source],
      requiredScopes: [...question.requiredScopes],
      resource: question.resource,
      clientIp: question.clientIp,
      requestId: question.requestId,
    })
    try {
      return toVerdict(await this.askTwice(request))
    } catch (error) {
      throw unavailable('The identity service', error)
    }
  }

  close(): void {
    this.client.close()
  }

  private async askTwice(request: AuthorizeRequest): Promise<AuthorizeResponse> {
    try {
      return await this.ask(request)
    } catch (error) {
      if (!isUnavailable(error)) throw error
      return this.ask(request)
    }
  }

  private ask(request: AuthorizeRequest): Promise<AuthorizeResponse> {
    const deadline = Date.now() + this.deadlineMs
    return new Promise((resolve, reject) => {
      this.client.authorize(request, this.metadata, { deadline }, (error, response) => {
        if (error) reject(error)
        else resolve(response)
      })
    })
  }
}

function isUnavailable(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    error.code === status.UNAVAILABLE
  )
}

function toVerdict(response: AuthorizeResponse): Verdict {
  const reason = response.denialReason.replace(/^DENIAL_REASON_/, '').toLowerCase()
  if (response.decision === Decision.DECISION_ALLOW) {
    return { decision: 'allow', principal: toPrincipal(response) }
  }
  if (response.decision !== Decision.DECISION_DENY) throw new Error(`decision ${response.decision}`)
  if (response.denialReason === DenialReason.DENIAL_REASON_RATE_LIMITED) {
    return {
      decision: 'rate_limited',
      reason,
      retryAfterSeconds: response.rateLimit?.perSeconds ?? 1,
    }
  }
  return REFUSED.has(response.denialReason)
    ? { decision: 'refused', reason, principal: response.principal ? toPrincipal(response) : null }
    : { decision: 'unidentified', reason }
}

const SCOPES: readonly Scope[] = ['read', 'write', 'admin']

/** @throws Error for an "allow" that names nobody: an empty principal must never pass. */
function toPrincipal(response: AuthorizeResponse): Principal {
  const { principal, rlsContext: context } = response
  if (!principal?.id || !context) throw new Error('an answer without a principal')
  const attributes: Record<string, AttributeValue> = {}
  for (const [name, value] of Object.entries(context.attributes))
    attributes[name] = toAttribute(value)
  return Object.freeze({
    id: principal.id,
    kind: principal.kind === PrincipalKind.PRINCIPAL_KIND_USER ? 'user' : 'api_key',
    email: principal.email || null,
    name: principal.name,
    roles: Object.freeze([...response.roles]),
    scopes: Object.freeze(SCOPES.filter((scope) => response.scopes.includes(scope))),
    attributes: Object.freeze(attributes),
    expiresAt: response.expiresAt ?? null,
  })
}

function toAttribute(value: WireAttribute): AttributeValue {
  if (value.listValue) return Object.freeze(value.listValue.values.map(toScalar))
  return toScalar(value)
}

function toScalar(value: WireAttribute): string | number | boolean {
  const scalar = value.stringValue ?? value.numberValue ?? value.booleanValue
  if (scalar === undefined) throw new Error('an attribute without a value')
  return scalar
}
