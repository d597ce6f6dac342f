import { createServer, type Server } from 'node:http'

export interface SeenRequest {
  readonly method: string
  readonly url: string
  readonly authorization: string | undefined
  readonly body: string
  readonly ifMatch?: string
  readonly lastEventId?: string
}

export interface ScriptedAnswer {
  readonly status: number
  /** Sent as it stands: what the digits look like on the wire matters. */
  readonly text?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Decides at each call; what it throws fails the test that has asked. */
export type Handler = (request: SeenRequest) => ScriptedAnswer | Promise<ScriptedAnswer>

/** A real HTTP server on a free port that gives the answers it was told and remembers what it was asked. */
export class FakeApi {
  readonly requests: SeenRequest[] = []
  private readonly answers = new Map<string, ScriptedAnswer | Handler>()

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<FakeApi> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    if (typeof address !== 'object' || address === null) throw new Error('listens nowhere')
    const api = new FakeApi(server, `http://127.0.0.1:${String(address.port)}`)
    server.on('request', (request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        const { method = '', url = '', headers } = request
        const ifMatch = headers['if-match']
        const lastEventId = headers['last-event-id']
        const seen = {
          method,
          url,
          authorization: headers.authorization,
          body,
          ...(ifMatch === undefined ? {} : { ifMatch }),
          ...(typeof lastEventId === 'string' ? { lastEventId } : {}),
        }
        api.requests.push(seen)
        void api.answer(seen).then((answer) => {
          const type = { 'content-type': 'application/json' }
          response.writeHead(answer.status, { ...type, ...answer.headers })
          response.end(answer.text)
        })
      })
    })
    return api
  }

  /** What `method url`, as in `GET /api/v1/auth/me`, is answered with from now on. */
  on(request: string, answer: ScriptedAnswer | Handler): this {
    this.answers.set(request, answer)
    return this
  }

  private async answer(seen: SeenRequest): Promise<ScriptedAnswer> {
    const found = this.answers.get(`${seen.method} ${seen.url}`) ?? NOT_FOUND
    return typeof found === 'function' ? found(seen) : found
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }
}

const NOT_FOUND: ScriptedAnswer = {
  status: 404,
  text: '{"error":{"code":"NOT_FOUND","message":"There is nothing at this address"}}',
}

/** A JSON answer. */
export function json(value: unknown, status = 200): ScriptedAnswer {
  return { status, text: JSON.stringify(value) }
}

export const REFUSED: ScriptedAnswer = {
  status: 401,
  text: '{"error":{"code":"UNAUTHORIZED","message":"Invalid or missing authentication"}}',
}
