/**
 * A bare Fastify server that lets pass in three ways: everybody, whom identity has been asked about, and whom the guard
 * knows. Nothing else differs.
 */
import { credentials } from '@grpc/grpc-js'
import { CachingAuthorizer, GrpcAuthorizer } from '@olytix/auth-guards'
import { fastify } from 'fastify'

const identity = new GrpcAuthorizer({
  address: process.env['OLYTIX_IDENTITY__ADDRESS'] ?? '',
  channel: credentials.createInsecure(),
  serviceToken: process.env['OLYTIX_IDENTITY__SERVICE_TOKEN'],
  // What is slow here is to be measured, not refused.
  deadlineMs: 10_000,
})
const guard = new CachingAuthorizer(identity)
guard.start()

const server = fastify()
server.get('/everybody', () => ({ rows: [] }))
for (const [path, authorizer] of Object.entries({ '/asked': identity, '/known': guard })) {
  server.get(path, async (request, reply) => {
    const verdict = await authorizer.authorize({
      credential: { text: (request.headers.authorization ?? '').slice(7), source: 'header' },
      requiredScopes: ['read'],
      resource: `GET ${path}`,
      clientIp: request.ip,
      requestId: request.id,
    })
    if (verdict.decision !== 'allow') return reply.code(401).send()
    return { rows: [] }
  })
}
const url = await server.listen({ host: '127.0.0.1', port: 0 })
process.send?.({ type: 'ready', address: new URL(url).host })
process.once('SIGTERM', () => {
  process.exit(0)
})
