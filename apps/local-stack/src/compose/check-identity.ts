/** Health check of the container `identity`: exits with 0 when `grpc.health.v1.Health` says SERVING. */
import { Client, credentials } from '@grpc/grpc-js'

const SERVING = Buffer.from([0x08, 0x01])
const asIs = (bytes: Buffer): Buffer => bytes
const client = new Client('127.0.0.1:50051', credentials.createInsecure())
client.makeUnaryRequest(
  '/grpc.health.v1.Health/Check',
  asIs,
  asIs,
  // An empty request asks for the server as a whole.
  Buffer.alloc(0),
  { deadline: Date.now() + 3000 },
  (error, answer) => {
    if (error) console.error(error.message)
    process.exit(answer?.equals(SERVING) ? 0 : 1)
  },
)
