import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Metadata } from '@grpc/grpc-js'
import { sql } from '@olytix/postgres'
import {
  type AuthorizeResponse,
  BeginSignInRequest,
  type BeginSignInResponse,
  FinishSignInRequest,
  type FinishSignInResponse,
  type ListProvidersResponse,
  type RedeemCodeResponse,
  type TokenPair,
} from '@olytix/proto'
import { z } from 'zod'
import { callMetadata, Harness, SERVICE_TOKEN, unary } from '../harness.js'
import { CLIENT, LyingProvider } from './lying-provider.js'

export const APP_CALLBACK = 'https://app.example/callback'
const EDGE = 'https://olytix.example'

/** What is written under the providers of the project file, by name. */
export type ProviderEntries = Readonly<Record<'corp' | 'other', Readonly<Record<string, unknown>>>>

/** A sign-in that a browser has begun. */
export type Begun = BeginSignInResponse & { readonly provider: string }

/** Parameters of a callback. */
export type Reply = Readonly<Record<string, string>>

const counts = z.record(z.string(), z.int())
const refusalRow = z.object({
  denial_reason: z.string(),
  subject_id: z.string(),
  client_ip: z.string().nullable(),
  additional_data: z.record(z.string(), z.unknown()),
})

/** Identity with two providers on loopback, as the edge and a browser in front of it see it. */
export class SignInFlow {
  private calls = 0

  private constructor(
    readonly identity: Harness,
    readonly corp: LyingProvider,
    readonly other: LyingProvider,
    private readonly folder: string,
  ) {}

  static async start(entries: ProviderEntries): Promise<SignInFlow> {
    const clock: { now: () => Date } = { now: () => new Date() }
    const now = (): Date => clock.now()
    const [corp, other] = await Promise.all([LyingProvider.start(now), LyingProvider.start(now)])
    const folder = mkdtempSync(path.join(tmpdir(), 'olytix-oauth-'))
    const issuers = { corp: corp.issuer, other: other.issuer }
    writeFileSync(path.join(folder, 'olytix-core_project.yml'), projectFile(issuers, entries))
    const identity = await Harness.create({
      OLYTIX_PROJECT_PATH: folder,
      OLYTIX_OAUTH__ALLOW_PRIVATE_ADDRESSES: 'true',
    })
    clock.now = identity.clock.now
    await identity.startAnother()
    return new SignInFlow(identity, corp, other, folder)
  }

  async end(): Promise<void> {
    await this.identity.end()
    await Promise.all([this.corp.stop(), this.other.stop()])
    rmSync(this.folder, { recursive: true })
  }

  /** Metadata of a call that the edge passes on, and the id by which its events are found. */
  call(clientIp = '192.0.2.7'): { readonly metadata: Metadata; readonly requestId: string } {
    this.calls += 1
    const requestId = `request-${String(this.calls)}`
    const entries = { 'service-token': SERVICE_TOKEN, 'client-ip': clientIp }
    return { metadata: callMetadata({ ...entries, 'request-id': requestId }), requestId }
  }

  list(): Promise<ListProvidersResponse> {
    const client = this.identity.oauthClient
    return unary((done) => client.listProviders({}, this.call().metadata, done))
  }

  async begin(
    changes: Partial<BeginSignInRequest> = {},
    { metadata } = this.call(),
  ): Promise<Begun> {
    const client = this.identity.oauthClient
    const provider = changes.provider ?? 'corp'
    const request = BeginSignInRequest.create({
      provider,
      callbackUrl: `${EDGE}/api/v1/auth/oauth/${provider}/callback`,
      loginUrl: `${EDGE}/login`,
      ...changes,
    })
    const begun = await unary<BeginSignInResponse>((done) =>
      client.beginSignIn(request, metadata, done),
    )
    return { ...begun, provider }
  }

  /** The person agrees at the provider's page and comes back. */
  visit({ authorizationUrl, provider }: Begun): Promise<Reply> {
    const at = provider === 'corp' ? this.corp : this.other
    return at.signIn(new URL(authorizationUrl))
  }

  finish(
    { provider, browserSecret }: Begun,
    reply: Reply,
    changes: Partial<FinishSignInRequest> = {},
    { metadata } = this.call(),
  ): Promise<FinishSignInResponse> {
    const client = this.identity.oauthClient
    const request = FinishSignInRequest.create({ provider, browserSecret, ...reply, ...changes })
    return unary((done) => client.finishSignIn(request, metadata, done))
  }

  redeem(
    code: string,
    codeVerifier: string,
    { metadata } = this.call(),
  ): Promise<RedeemCodeResponse> {
    const client = this.identity.oauthClient
    return unary((done) => client.redeemCode({ code, codeVerifier, userAgent: '' }, metadata, done))
  }

  /** A whole sign-in whose callback answers the tokens. */
  async signIn(provider = 'corp', call = this.call()): Promise<TokenPair> {
    const begun = await this.begin({ provider })
    const { tokens } = await this.finish(begun, await this.visit(begun), {}, call)
    if (!tokens) throw new Error('an answer without tokens')
    return tokens
  }

  /** A whole sign-in up to the one-time code. */
  async signInForCode(): Promise<{ readonly code: string; readonly codeVerifier: string }> {
    const { codeVerifier, codeChallenge } = aVerifier()
    const begun = await this.begin({ redirectUri: APP_CALLBACK, codeChallenge })
    const { redirectUrl } = await this.finish(begun, await this.visit(begun))
    const code = new URL(redirectUrl).searchParams.get('code')
    if (code === null) throw new Error(`no code in ${redirectUrl}`)
    return { code, codeVerifier }
  }

  whoIs({ accessToken }: TokenPair): Promise<AuthorizeResponse> {
    return this.identity.authorize({ credential: accessToken })
  }

  /** Rows that a sign-in may write. */
  async rowCounts(): Promise<z.output<typeof counts> | undefined> {
    return this.identity.owner.maybeOne(
      counts,
      sql`
        select (select count(*)::int from users) as users,
          (select count(*)::int from user_roles) as user_roles,
          (select count(*)::int from identities) as identities,
          (select count(*)::int from sessions) as sessions,
          (select count(*)::int from oauth_codes) as oauth_codes,
          (select count(*)::int from audit_events where access_granted) as granted_events`,
    )
  }

  /** The one refusal that a call left in the audit trail, which is written within a second. */
  async refusalOf({
    requestId,
  }: {
    readonly requestId: string
  }): Promise<z.output<typeof refusalRow>> {
    const deadline = performance.now() + 10_000
    for (;;) {
      const rows = await this.identity.owner.many(
        refusalRow,
        sql`
          select denial_reason, subject_id, host(client_ip) as client_ip, additional_data
          from audit_events
          where request_id = ${requestId} and not access_granted`,
      )
      const [row] = rows
      if (row && rows.length === 1) return row
      if (rows.length > 1 || performance.now() > deadline) {
        throw new Error(`${String(rows.length)} refusals of ${requestId}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

export function aVerifier(): { readonly codeVerifier: string; readonly codeChallenge: string } {
  const codeVerifier = randomBytes(32).toString('base64url')
  return {
    codeVerifier,
    codeChallenge: createHash('sha256').update(codeVerifier).digest('base64url'),
  }
}

/** JSON is YAML. */
function projectFile(
  issuers: Readonly<Record<'corp' | 'other', string>>,
  entries: ProviderEntries,
): string {
  const provider = (name: 'corp' | 'other'): object => ({
    name,
    issuer: issuers[name],
    client_id: CLIENT.id,
    client_secret: CLIENT.secret,
    ...entries[name],
  })
  const redirect_uris = [APP_CALLBACK, 'http://127.0.0.1/callback']
  const oauth = { enabled: true, redirect_uris, providers: [provider('corp'), provider('other')] }
  return JSON.stringify({ name: 'test', security: { oauth } })
}
