/**
 * A bare gRPC server that answers `Authorize` with the same bytes every time: the price of the hop alone, which every
 * other figure is held against.
 */
import { Server, ServerCredentials } from '@grpc/grpc-js'
import {
  AuthorizationServiceService,
  AuthorizeResponse,
  Decision,
  PrincipalKind,
} from '@olytix/proto'

const ANSWER = AuthorizeResponse.create({
  decision: Decision.DECISION_ALLOW,
  principal: {
    id: 'key_echo',
    kind: PrincipalKind.PRINCIPAL_KIND_API_KEY,
    email: '',
    name: 'Echo',
  },
  scopes: ['read'],
  roles: ['viewer'],
})

const server = new Server()
server.addService(
  { authorize: AuthorizationServiceService.authorize },
  {
    /** @type {import('@grpc/grpc-js').handleUnaryCall<unknown, AuthorizeResponse>} */
    authorize: (_call, done) => {
      done(null, ANSWER)
    },
  },
)
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error
  process.send?.({ type: 'ready', address: `127.0.0.1:${String(port)}` })
})
process.once('SIGTERM', () => {
  process.exit(0)
})
