import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger'
import { type Access, RouteAudit } from '@olytix/auth-guards'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { questionSchemas } from './question-schema.js'

/** The page is Swagger UI, from our own files; it writes styles into its page and colours into `data:` images. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const ERROR = {
  type: 'object',
  properties: {
    error: {
      type: 'object',
      properties: {
        code: { type: 'string', examples: ['UNAUTHORIZED'] },
        message: { type: 'string', examples: ['Invalid or missing authentication'] },
        details: {
          type: 'array',
          items: {
            type: 'object',
            properties: {
              path: { type: 'string' },
              message: { type: 'string' },
              suggestion: { type: 'string' },
            },
            required: ['path', 'message'],
          },
        },
      },
      required: ['code', 'message'],
    },
  },
  required: ['error'],
}

/** Serves the description of the API as `/openapi.json` (OpenAPI 3.1) and as a page at `/docs`. Call it before `listen`. */
export function serveApiDocs(app: NestFastifyApplication): void {
  const server = app.getHttpAdapter().getInstance()
  server.addHook('onRequest', (request: FastifyRequest, reply: FastifyReply, done) => {
    if (/^\/docs(?:[/?]|$)/.test(request.url)) {
      reply
        .header('content-security-policy', PAGE_POLICY)
        .header('x-content-type-options', 'nosniff')
    }
    done()
  })
  SwaggerModule.setup('docs', app, () => describeApi(app), {
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
    customSiteTitle: 'Olytix Core API',
  })
}

function describeApi(app: NestFastifyApplication): OpenAPIObject {
  const outline = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Olytix Core')
    .setDescription(
      'Governed metrics by name: each principal sees the rows and columns that are theirs.',
    )
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An API key or an access token' })
    .build()
  const described = SwaggerModule.createDocument(app, outline, {
    operationIdFactory: (controller, method) => `${controller}.${method}`,
    standardSchemaConverter: (schema, { schemaType }) => {
      if (!(schema instanceof z.ZodType)) return undefined
      const { $schema: _, ...shape } = z.toJSONSchema(schema, {
        io: schemaType,
        unrepresentable: 'any',
      })
      return { schema: shape }
    },
  })
  Object.assign((described.components ??= {}), {
    schemas: { ...described.components.schemas, ...questionSchemas(), Error: ERROR },
  })
  const access = new Map(
    app
      .get(RouteAudit)
      .routes()
      .map((route) => [route.handler, route.access]),
  )
  for (const { get, put, post, patch, delete: remove } of Object.values(described.paths)) {
    for (const operation of [get, put, post, patch, remove]) {
      if (operation) describeOperation(operation, access)
    }
  }
  return described
}

/** Who may call comes from the same declaration that the guard reads. */
function describeOperation(
  operation: Operation,
  accessOf: ReadonlyMap<string, Access | undefined>,
): void {
  const handler = operation.operationId ?? ''
  const access = accessOf.get(handler)
  operation.operationId = handler.replace('Controller.', '_')
  const refusals: [string, string][] = [['default', 'A refusal; docs/errors.md has every code']]
  if (access?.kind === 'authenticated') {
    const [scope] = access.scopes
    operation.security = [{ bearer: [] }]
    operation.description = scope ? `Needs the scope \`${scope}\`.` : 'Needs any credential.'
    refusals.push(['401', 'Invalid or missing authentication'])
    refusals.push(['403', 'Insufficient permissions for this resource'])
  }
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } }
  for (const [status, description] of refusals)
    operation.responses[status] = { description, content }
}

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>
