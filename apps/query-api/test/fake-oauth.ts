import { Server, ServerCredentials, type handleUnaryCall } from '@grpc/grpc-js'
import { AppError } from '@olytix/errors'
import { toGrpcError } from '@olytix/errors/nest'
import {
  type BeginSignInRequest,
  BeginSignInResponse,
  type FinishSignInRequest,
  FinishSignInResponse,
  ListProvidersResponse,
  OAuthServiceService,
  type RedeemCodeRequest,
  RedeemCodeResponse,
  TokenPair,
} from '@olytix/proto'

const PAIR = TokenPair.create({
  accessToken: 'access-1',
  expiresIn: 3600,
  refreshToken: 'refresh_1',
})

/** Identity's side of signing in, over real gRPC: remembers what it is asked, answers what it is told. */
export class FakeOAuth {
  readonly begun: BeginSignInRequest[] = []
  readonly finished: FinishSignInRequest[] = []
  readonly redeemed: RedeemCodeRequest[] = []
  finishing: () => Partial<FinishSignInResponse> = () => ({ tokens: PAIR })
  /** Thrown by every call once it is set. */
  refusal: AppError | undefined

  private constructor(
    private readonly server: Server,
    readonly address: string,
  ) {}

  static async start(): Promise<FakeOAuth> {
    const server = new Server()
    const credentials = ServerCredentials.createInsecure()
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', credentials, (error, bound) => {
        if (error) reject(error)
        else resolve(bound)
      })
    })
    const fake = new FakeOAuth(server, `127.0.0.1:${String(port)}`)
    server.addService(OAuthServiceService, {
      listProviders: fake.answer(() =>
        ListProvidersResponse.create({
          providers: [{ name: 'google', displayName: 'Google' }],
        }),
      ),
      beginSignIn: fake.answer((request: BeginSignInRequest) => {
        fake.begun.push(request)
        const state = `state-${String(fake.begun.length)}`
        const authorizationUrl = `https://provider.example/authorize?state=${state}`
        const browserSecret = `secret-of-${state}`
        return BeginSignInResponse.create({
          authorizationUrl,
          state,
          browserSecret,
          expiresIn: 600,
        })
      }),
      finishSignIn: fake.answer((request: FinishSignInRequest) => {
        fake.finished.push(request)
        return FinishSignInResponse.create(fake.finishing())
      }),
      redeemCode: fake.answer((request: RedeemCodeRequest) => {
        fake.redeemed.push(request)
        return RedeemCodeResponse.create({ tokens: PAIR })
      }),
    })
    return fake
  }

  stop(): void {
    this.server.forceShutdown()
  }

  private answer<Q, A>(respond: (request: Q) => A): handleUnaryCall<Q, A> {
    return ({ request }, callback) => {
      const answer = respond(request)
      if (this.refusal) callback(toGrpcError(this.refusal))
      else callback(null, answer)
    }
  }
}
