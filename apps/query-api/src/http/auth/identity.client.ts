import {
  type ChannelCredentials,
  type ClientUnaryCall,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js'
import { Injectable } from '@nestjs/common'
import type { Credential } from '@olytix/auth-guards'
import { fromGrpcError } from '@olytix/errors/nest'
import {
  AuditServiceClient,
  KeyServiceClient,
  OAuthServiceClient,
  RoleServiceClient,
  TokenServiceClient,
  UserServiceClient,
} from '@olytix/proto'

/** Who asks identity for something, and on whose request. */
export interface CallContext {
  /** The end user's own credential: identity decides by itself what it may do. None on public routes. */
  readonly credential: Credential | undefined
  readonly clientIp: string
  readonly requestId: string
}

interface IdentityClientOptions {
  readonly address: string
  readonly channel: ChannelCredentials
  readonly serviceToken: string | undefined
  /** Told after each call which revision identity had reached by its end. */
  readonly onRevision?: (revision: number) => void
}

type UnaryMethod<Q, A> = (
  request: Q,
  metadata: Metadata,
  options: { deadline: number },
  callback: (error: ServiceError | null, answer: A) => void,
) => ClientUnaryCall

/** Time for one management call, in milliseconds. */
const DEADLINE_MS = 5000

/** The management services of identity. Every call carries deadline, credential and request id. */
@Injectable()
export class IdentityClient {
  readonly keys: KeyServiceClient
  readonly users: UserServiceClient
  readonly roles: RoleServiceClient
  readonly tokens: TokenServiceClient
  readonly oauth: OAuthServiceClient
  readonly audit: AuditServiceClient

  constructor(private readonly options: IdentityClientOptions) {
    const { address, channel } = options
    this.keys = new KeyServiceClient(address, channel)
    this.users = new UserServiceClient(address, channel)
    this.roles = new RoleServiceClient(address, channel)
    this.tokens = new TokenServiceClient(address, channel)
    this.oauth = new OAuthServiceClient(address, channel)
    this.audit = new AuditServiceClient(address, channel)
  }

  /**
   * Makes one call: `call(context, keys.createKey.bind(keys), request)`.
   * @param timeMs time for the call, in milliseconds
   * @throws AppError as identity threw it, or UNAVAILABLE
   */
  call<Q, A>(
    context: CallContext,
    method: UnaryMethod<Q, A>,
    request: Q,
    timeMs = DEADLINE_MS,
  ): Promise<A> {
    return new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + timeMs }
      const running = method(request, this.metadataFor(context), options, (error, answer) => {
        if (error) reject(fromGrpcError(error, 'The identity service'))
        else resolve(answer)
      })
      // It comes before the answer, so that whoever gets the answer is served by nothing older.
      running.on('metadata', (metadata) => {
        const revision = Number(metadata.get('revision')[0])
        if (Number.isInteger(revision)) this.options.onRevision?.(revision)
      })
    })
  }

  close(): void {
    const { keys, users, roles, tokens, oauth, audit } = this
    for (const client of [keys, users, roles, tokens, oauth, audit]) client.close()
  }

  private metadataFor({ credential, clientIp, requestId }: CallContext): Metadata {
    const metadata = new Metadata()
    if (credential) {
      metadata.set('authorization', `Bearer ${credential.text}`)
      metadata.set('credential-source', credential.source)
    }
    metadata.set('client-ip', clientIp)
    metadata.set('request-id', requestId)
    if (this.options.serviceToken !== undefined)
      metadata.set('service-token', this.options.serviceToken)
    return metadata
  }
}
