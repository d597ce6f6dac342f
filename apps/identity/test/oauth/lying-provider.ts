import { createHash, randomBytes } from 'node:crypto'
import http from 'node:http'
import { type Algorithm, SigningKey } from './signing-key.js'

type Json = Record<string, unknown>

/** What a provider says about somebody; anything, since it may lie. */
export type Person = Json

/** How an answer is given instead of the true one. */
export interface RawAnswer {
  readonly status?: number
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  /** One byte after the other, this many milliseconds apart, for ever. */
  readonly dripMs?: number
  /** Nothing at all. */
  readonly silent?: boolean
}

export type Endpoint = 'discovery' | 'jwks' | 'authorize' | 'token' | 'userinfo'

/** Where the provider departs from the truth. Nothing set: it is honest. */
export interface Lies {
  readonly raw?: Partial<Record<Endpoint, RawAnswer>>
  readonly discovery?: (metadata: Json) => Json
  readonly keys?: (keys: readonly Json[]) => unknown
  readonly header?: (header: Json) => Json
  readonly claims?: (claims: Json) => Json
  /** The whole ID token, from its first two parts. */
  readonly idToken?: (signed: string, input: string, key: SigningKey) => string
  readonly tokens?: (answer: Json) => Json
  readonly userinfo?: (claims: Json) => Json
  /** The parameters that come back with the person. */
  readonly reply?: (parameters: Reply) => Reply
  /** Called when a code is redeemed, before the ID token is signed. */
  readonly beforeSigning?: () => void
}

type Reply = Readonly<Record<string, string | undefined>>

interface Grant {
  readonly redirectUri: string
  readonly nonce: string | undefined
  readonly challenge: string
}

export interface SeenRequest {
  readonly endpoint: Endpoint
  readonly parameters: Readonly<Record<string, string>>
  readonly authorization: string | undefined
}

export const CLIENT = { id: 'olytix-test-client', secret: 's3cret:with-+specials/%' }

/** An OpenID Connect provider on loopback that is honest unless told to lie, and remembers what it was asked. */
export class LyingProvider {
  readonly seen: SeenRequest[] = []
  lies: Lies = {}
  person: Person = { sub: 'person-1', email: 'ada@example.com', email_verified: true, name: 'Ada' }
  /** Whether the claims of the person are in the ID token too, not at the userinfo endpoint only. */
  claimsInIdToken = true
  key = new SigningKey('RS256')
  readonly accessToken = `at-${randomBytes(16).toString('hex')}`
  private readonly grants = new Map<string, Grant>()

  private constructor(
    private readonly server: http.Server,
    readonly issuer: string,
    private readonly now: () => Date,
  ) {}

  static async start(now: () => Date = () => new Date()): Promise<LyingProvider> {
    const server = http.createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('not listening')
    const issuer = `http://127.0.0.1:${String(address.port)}`
    const provider = new LyingProvider(server, issuer, now)
    server.on('request', (request, response) => {
      void provider.handle(request, response)
    })
    return provider
  }

  /** Signs with another key from now on and publishes that one only. */
  rotate(algorithm: Algorithm = 'RS256'): void {
    this.key = new SigningKey(algorithm)
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }

  /** The person at a browser: goes to the provider, agrees, and comes back with these parameters. */
  async signIn(authorizationUrl: URL): Promise<Record<string, string>> {
    const answer = await fetch(authorizationUrl, { redirect: 'manual' })
    const location = new URL(answer.headers.get('location') ?? '')
    return Object.fromEntries(location.searchParams)
  }

  private async handle(
    request: http.IncomingMessage,
    response: http.ServerResponse,
  ): Promise<void> {
    const url = new URL(request.url ?? '/', this.issuer)
    const endpoint = endpointOf(url.pathname)
    if (endpoint === undefined) {
      response.writeHead(404).end()
      return
    }
    const body = await readBody(request)
    const parameters = Object.fromEntries([...url.searchParams, ...new URLSearchParams(body)])
    const { authorization } = request.headers
    this.seen.push({ endpoint, parameters, authorization })
    const raw = this.lies.raw?.[endpoint]
    if (raw) {
      sendRaw(response, raw)
      return
    }
    if (endpoint === 'authorize') {
      this.authorize(parameters, response)
      return
    }
    const answer = this.answer(endpoint, { endpoint, parameters, authorization })
    const status = 'error' in answer ? 400 : 200
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  }

  private answer(endpoint: Exclude<Endpoint, 'authorize'>, request: SeenRequest): Json {
    if (endpoint === 'discovery') return (this.lies.discovery ?? same)(this.metadata())
    if (endpoint === 'jwks') {
      const keys = [this.key.jwk]
      return { keys: this.lies.keys ? this.lies.keys(keys) : keys }
    }
    return endpoint === 'token' ? this.token(request) : this.userinfo(request)
  }

  private metadata(): Json {
    return {
      issuer: this.issuer,
      authorization_endpoint: `${this.issuer}/authorize`,
      token_endpoint: `${this.issuer}/token`,
      jwks_uri: `${this.issuer}/jwks`,
      userinfo_endpoint: `${this.issuer}/userinfo`,
      id_token_signing_alg_values_supported: [this.key.algorithm],
      token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    }
  }

  private authorize(
    parameters: Readonly<Record<string, string>>,
    response: http.ServerResponse,
  ): void {
    const code = randomBytes(16).toString('hex')
    const redirectUri = parameters['redirect_uri'] ?? ''
    const challenge = parameters['code_challenge'] ?? ''
    this.grants.set(code, { redirectUri, nonce: parameters['nonce'], challenge })
    const honest: Reply = { code, state: parameters['state'] }
    const reply = this.lies.reply?.(honest) ?? honest
    const location = new URL(redirectUri)
    for (const [name, value] of Object.entries(reply)) {
      if (value !== undefined) location.searchParams.set(name, value)
    }
    response.writeHead(302, { location: location.href }).end()
  }

  private token({ parameters, authorization }: SeenRequest): Json {
    const grant = this.grants.get(parameters['code'] ?? '')
    this.grants.delete(parameters['code'] ?? '')
    if (!isOurClient(parameters, authorization)) return { error: 'invalid_client' }
    const verifier = parameters['code_verifier'] ?? ''
    const challenge = createHash('sha256').update(verifier).digest('base64url')
    if (grant?.challenge !== challenge || grant.redirectUri !== parameters['redirect_uri']) {
      return { error: 'invalid_grant' }
    }
    this.lies.beforeSigning?.()
    const answer = {
      access_token: this.accessToken,
      token_type: 'Bearer',
      expires_in: 300,
      id_token: this.idToken(grant.nonce),
    }
    return (this.lies.tokens ?? same)(answer)
  }

  private idToken(nonce: string | undefined): string {
    const seconds = Math.floor(this.now().getTime() / 1000)
    const claims = (this.lies.claims ?? same)({
      ...(this.claimsInIdToken ? this.person : { sub: this.person['sub'] }),
      iss: this.issuer,
      aud: CLIENT.id,
      azp: CLIENT.id,
      iat: seconds,
      exp: seconds + 300,
      nonce,
      at_hash: this.key.leftHalf(this.accessToken),
    })
    const header = (this.lies.header ?? same)({ alg: this.key.algorithm, kid: this.key.jwk['kid'] })
    const input = `${encode(header)}.${encode(claims)}`
    const signed = `${input}.${this.key.sign(input)}`
    return this.lies.idToken?.(signed, input, this.key) ?? signed
  }

  private userinfo({ authorization }: SeenRequest): Json {
    if (authorization !== `Bearer ${this.accessToken}`) return { error: 'invalid_token' }
    return (this.lies.userinfo ?? same)({ ...this.person })
  }
}

/** A part of a JSON Web Token. */
export function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function same(value: Json): Json {
  return value
}

function endpointOf(pathname: string): Endpoint | undefined {
  if (pathname === '/.well-known/openid-configuration') return 'discovery'
  const endpoints = ['jwks', 'authorize', 'token', 'userinfo'] as const
  return endpoints.find((endpoint) => pathname === `/${endpoint}`)
}

function isOurClient(
  parameters: Readonly<Record<string, string>>,
  authorization: string | undefined,
): boolean {
  if (authorization === undefined) {
    return parameters['client_id'] === CLIENT.id && parameters['client_secret'] === CLIENT.secret
  }
  const [id, secret] = Buffer.from(authorization.replace(/^Basic /, ''), 'base64')
    .toString()
    .split(':')
    .map((part) => decodeURIComponent(part.replaceAll('+', ' ')))
  return id === CLIENT.id && secret === CLIENT.secret
}

async function readBody(request: http.IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  return body
}

function sendRaw(response: http.ServerResponse, raw: RawAnswer): void {
  if (raw.silent === true) return
  response.writeHead(raw.status ?? 200, {
    'content-type': raw.type ?? 'application/json',
    ...raw.headers,
  })
  if (raw.dripMs === undefined) {
    response.end(raw.body ?? '')
    return
  }
  const timer = setInterval(() => response.write(' '), raw.dripMs)
  response.on('close', () => {
    clearInterval(timer)
  })
}
