import { type ChannelCredentials, Metadata, status } from '@grpc/grpc-js'
import { unavailable } from '@olytix/errors'
import { fromGrpcError } from '@olytix/errors/nest'
import {
  AuthorizationServiceClient,
  AuthorizeRequest,
  type AuthorizeResponse,
  CredentialSource,
  DenialReason,
  InvalidationKind,
  type WatchInvalidationsResponse,
} from '@olytix/proto'
import { type Answer, toAnswer } from './answer.js'
import type { Authorizer, AuthorizeQuestion, Verdict } from './authorizer.js'
import type { IdentityCalls, KeyUse, Told, Watcher } from './identity-calls.js'

interface GrpcAuthorizerOptions {
  /** `host:port` of identity. */
  readonly address: string
  readonly channel: ChannelCredentials
  /** Shared secret for service calls, if identity demands one. */
  readonly serviceToken: string | undefined
  /** Time for one attempt, in milliseconds; there is one more on UNAVAILABLE. */
  readonly deadlineMs?: number
}

const DEADLINE_MS = 500
/** Uses are reported in the background, where nobody waits. */
const REPORT_DEADLINE_MS = 2_000

const SOURCES = {
  header: CredentialSource.CREDENTIAL_SOURCE_HEADER,
  query_parameter: CredentialSource.CREDENTIAL_SOURCE_QUERY_PARAMETER,
} as const

const KNOWN_KINDS: ReadonlySet<InvalidationKind> = new Set([
  InvalidationKind.INVALIDATION_KIND_KEY,
  InvalidationKind.INVALIDATION_KIND_USER,
  InvalidationKind.INVALIDATION_KIND_ROLE,
  InvalidationKind.INVALIDATION_KIND_SESSION,
  InvalidationKind.INVALIDATION_KIND_SIGNING_KEY,
])

/** Asks identity, each time. Any trouble on the way, or an answer that makes no sense, is UNAVAILABLE. */
export class GrpcAuthorizer implements Authorizer, IdentityCalls {
  private readonly client: AuthorizationServiceClient
  private readonly metadata = new Metadata()
  private readonly deadlineMs: number

  constructor(options: GrpcAuthorizerOptions) {
    this.client = new AuthorizationServiceClient(options.address, options.channel, {
      // What a stream tells is as old as its connection is slow: one that does not answer within a second ends.
      'grpc.keepalive_time_ms': 1_000,
      'grpc.keepalive_timeout_ms': 1_000,
      'grpc.max_reconnect_backoff_ms': 1_000,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_receive_message_length': 1024 * 1024,
    })
    if (options.serviceToken !== undefined) this.metadata.set('service-token', options.serviceToken)
    this.deadlineMs = options.deadlineMs ?? DEADLINE_MS
  }

  async authorize(question: AuthorizeQuestion): Promise<Verdict> {
    return (await this.ask(question)).verdict
  }

  async ask(question: AuthorizeQuestion): Promise<Answer> {
    const request = AuthorizeRequest.create({
      credential: question.credential.text,
      source: SOURCES[question.credential.source],
      requiredScopes: [...question.requiredScopes],
      resource: question.resource,
      clientIp: question.clientIp,
      fresh: question.fresh ?? false,
      requestId: question.requestId,
    })
    try {
      return toAnswer(await this.askTwice(request))
    } catch (error) {
      throw unavailable('The identity service', error)
    }
  }

  watch(fromRevision: number, watcher: Watcher): () => void {
    const stream = this.client.watchInvalidations({ fromRevision }, this.metadata)
    let isOver = false
    const end = (): void => {
      if (isOver) return
      isOver = true
      stream.cancel()
      watcher.onEnd()
    }
    stream.on('data', (message: WatchInvalidationsResponse) => {
      if (!isOver) watcher.onTold(toTold(message))
    })
    stream.on('error', end)
    stream.on('end', end)
    return () => {
      isOver = true
      stream.cancel()
    }
  }

  recordUses(uses: readonly KeyUse[]): Promise<void> {
    const denialReason = DenialReason.DENIAL_REASON_UNSPECIFIED
    const request = { uses: uses.map((use) => ({ ...use, denialReason })) }
    const deadline = Date.now() + REPORT_DEADLINE_MS
    return new Promise((resolve, reject) => {
      this.client.recordUses(request, this.metadata, { deadline }, (error) => {
        if (error) reject(fromGrpcError(error, 'The identity service'))
        else resolve()
      })
    })
  }

  close(): void {
    this.client.close()
  }

  private async askTwice(request: AuthorizeRequest): Promise<AuthorizeResponse> {
    try {
      return await this.askOnce(request)
    } catch (error) {
      if (!isUnavailable(error)) throw error
      return this.askOnce(request)
    }
  }

  private askOnce(request: AuthorizeRequest): Promise<AuthorizeResponse> {
    const deadline = Date.now() + this.deadlineMs
    return new Promise((resolve, reject) => {
      this.client.authorize(request, this.metadata, { deadline }, (error, response) => {
        if (error) reject(error)
        else resolve(response)
      })
    })
  }
}

function toTold({ revision, resync, invalidations }: WatchInvalidationsResponse): Told {
  const changes = invalidations.map(({ kind, id }) => (KNOWN_KINDS.has(kind) ? id : undefined))
  return { revision, resync, changes }
}

function isUnavailable(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    error.code === status.UNAVAILABLE
  )
}
