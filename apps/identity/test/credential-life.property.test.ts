import { type ServiceError, status } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import {
  AuthorizationServiceClient,
  AuthorizeRequest,
  type AuthorizeResponse,
  CreateKeyRequest,
  type CreateKeyResponse,
  Decision,
  IssueTokenRequest,
  type IssueTokenResponse,
  KeyChange,
  KeyServiceClient,
  type RefreshTokenResponse,
  type RotateKeyResponse,
  type TokenPair,
  TokenServiceClient,
} from '@olytix/proto'
import fc from 'fast-check'
import {
  type Action,
  EMPTY,
  isKeyLive,
  isTokenLive,
  type ModelState,
  type Outcome,
  reachable,
} from './credential-model.js'
import {
  ADMIN_KEY,
  as,
  callMetadata,
  Harness,
  SERVICE_TOKEN,
  unary,
  USER_PASSWORD,
} from './harness.js'

/** Interleavings that are tried; `.ci/run` asks for many more. */
const RUNS = Number(process.env['OLYTIX_TEST__PROPERTY_RUNS'] ?? 40)

/** A thousand take two or three minutes. */
const LONGEST_MS = 900_000

const REFUSALS: ReadonlySet<number> = new Set([
  status.UNAUTHENTICATED,
  status.ALREADY_EXISTS,
  status.PERMISSION_DENIED,
])

let identity: Harness
let userId: string
let username: string
let keyClient: KeyServiceClient
let tokenClient: TokenServiceClient
let authorizationClient: AuthorizationServiceClient

beforeAll(async () => {
  identity = await Harness.start()
  const { user } = await identity.createUser({ roles: ['admin'] })
  userId = user.id
  username = user.email
  ;({ keyClient, tokenClient, authorizationClient } = identity)
})

afterAll(() => identity.end())

/** What is asked for, before it is known what there is. */
interface Wish {
  readonly kind: Action['kind']
  readonly at: number
  readonly back: number
}

const KINDS: readonly Action['kind'][] = [
  'sign in',
  'create key',
  'create key',
  'rotate key',
  'rotate key',
  'revoke key',
  'disable key',
  'enable key',
  'use key',
  'refresh',
  'refresh',
  'refresh',
  'sign out',
  'use token',
  'disable user',
  'enable user',
]
const wish = fc.record({
  kind: fc.constantFrom(...KINDS),
  at: fc.nat({ max: 20 }),
  back: fc.nat({ max: 2 }),
})
/** Calls of one moment, and how far the clock goes on afterwards. */
const moment = fc.record({
  wishes: fc.array(wish, { minLength: 1, maxLength: 3 }),
  waitMs: fc.constantFrom(0, 0, 0, 1, 10_000, 10_001, 60_000),
})

test(
  'keys, sessions and users end as the model says, however calls interleave',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(moment, { minLength: 3, maxLength: 10 }), async (moments) => {
        await identity.updateUser(userId, { disabled: false })
        const world = new World()
        await world.together([{ kind: 'sign in', at: 0, back: 0 }])
        for (const { wishes, waitMs } of moments) {
          await world.together(wishes)
          await world.wait(waitMs)
        }
      }),
      { numRuns: RUNS },
    )
  },
  LONGEST_MS,
)

/** What a client has seen, and the states in which the service may be. */
class World {
  private states: readonly ModelState[] = [EMPTY]
  private readonly secrets = new Map<string, { readonly id: string; readonly secret: string }>()
  private readonly pairs = new Map<string, TokenPair[]>()
  private made = 0

  /** Makes calls at the same moment: their outcomes must be those of one order or another. */
  async together(wishes: readonly Wish[]): Promise<void> {
    const actions = wishes.map((each) => this.actionOf(each)).filter((each) => each !== null)
    const calls = await Promise.all(
      actions.map(async (action) => ({ action, outcome: await this.outcomeOf(action) })),
    )
    const before = this.states
    this.states = reachable(before, calls)
    if (this.states.length === 0) {
      throw new Error(`no order explains ${JSON.stringify(calls)} after ${JSON.stringify(before)}`)
    }
    await this.observe()
  }

  async wait(ms: number): Promise<void> {
    if (ms === 0) return
    identity.clock.advance(ms)
    this.states = this.states.map((state) => ({ ...state, now: state.now + ms }))
    await this.observe()
  }

  /** Every credential that was ever given must work or not work as in one of the states. */
  private async observe(): Promise<void> {
    const [keys, sessions] = [[...this.secrets], [...this.pairs]]
    const texts = [
      ...keys.map(([, { secret }]) => secret),
      ...sessions.map(([, pairs]) => pairs[0]?.accessToken ?? ''),
    ]
    if (texts.length === 0) return
    const seen = await allowed(texts)
    const matching = this.states.filter((state) => {
      const expected = [
        ...keys.map(([name]) => isKeyLive(state, name)),
        ...sessions.map(([name]) => isTokenLive(state, name)),
      ]
      return expected.every((live, index) => live === seen[index])
    })
    expect({ seen, of: [...keys, ...sessions].map(([name]) => name), matching }).not.toMatchObject({
      matching: [],
    })
    this.states = matching
  }

  private actionOf({ kind, at, back }: Wish): Action | null {
    this.made += 1
    const session = pick([...this.pairs.keys()], at)
    return ACTIONS[kind]({
      made: `${kind}#${String(this.made)}`,
      key: pick([...this.secrets.keys()], at),
      session,
      sessions: this.pairs.size,
      newest: (this.pairs.get(session ?? '')?.length ?? 0) - 1,
      back,
    })
  }

  private async outcomeOf(action: Action): Promise<Outcome> {
    try {
      return await this.perform(action)
    } catch (error) {
      if (isRefusal(error)) return 'refused'
      throw error
    }
  }

  private async perform(action: Action): Promise<Outcome> {
    switch (action.kind) {
      case 'sign in':
        this.pairs.set(action.made, [await signIn()])
        return 'done'
      case 'disable user':
      case 'enable user':
        await identity.updateUser(userId, { disabled: action.kind === 'disable user' })
        return 'done'
      case 'create key':
        return this.keep(action.made, await createKey(this.pairOf(action.session).accessToken))
      case 'refresh':
        return this.refresh(action.session, action.counter)
      case 'sign out': {
        const { refreshToken } = this.pairOf(action.session)
        await unary((done) => tokenClient.revokeToken({ refreshToken }, done))
        return 'done'
      }
      case 'use token':
        return outcomeOfUse(this.pairOf(action.session).accessToken)
      case 'rotate key': {
        const { key, overlapMs, made } = action
        return this.keep(made, await rotateKey(this.keyOf(key).id, overlapMs / 1_000))
      }
      default:
        return this.performOnKey(action.kind, action.key)
    }
  }

  private async performOnKey(
    kind: 'revoke key' | 'disable key' | 'enable key' | 'use key',
    name: string,
  ): Promise<Outcome> {
    const { id, secret } = this.keyOf(name)
    if (kind === 'use key') return outcomeOfUse(secret)
    if (kind === 'revoke key') {
      await unary((done) => keyClient.revokeKey({ id }, as(ADMIN_KEY), done))
      return 'done'
    }
    const change = KeyChange.create({ disabled: kind === 'disable key' })
    const request = { id, updateMask: ['disabled'], change }
    await unary((done) => keyClient.updateKey(request, as(ADMIN_KEY), done))
    return 'done'
  }

  private async refresh(session: string, counter: number): Promise<Outcome> {
    const pairs = this.pairs.get(session) ?? []
    const { refreshToken } = pairs[counter] ?? { refreshToken: '' }
    const { tokens } = await unary<RefreshTokenResponse>((done) =>
      tokenClient.refreshToken({ refreshToken }, done),
    )
    if (!tokens) throw new Error('an answer without tokens')
    const known = pairs.findIndex((pair) => pair.refreshToken === tokens.refreshToken)
    return known >= 0 ? known : pairs.push(tokens) - 1
  }

  private keep(name: string, { key, secret }: CreateKeyResponse): Outcome {
    this.secrets.set(name, { id: key?.id ?? '', secret })
    return 'done'
  }

  private keyOf(name: string): { readonly id: string; readonly secret: string } {
    const key = this.secrets.get(name)
    if (!key) throw new Error(`no key ${name}`)
    return key
  }

  private pairOf(session: string): TokenPair {
    const pair = this.pairs.get(session)?.at(-1)
    if (!pair) throw new Error(`no session ${session}`)
    return pair
  }
}

interface Seen {
  readonly made: string
  readonly key: string | undefined
  readonly session: string | undefined
  readonly sessions: number
  /** Counter of the newest refresh token of the session. */
  readonly newest: number
  readonly back: number
}

type Maker = (seen: Seen) => Action | null

const onKey =
  (kind: 'revoke key' | 'disable key' | 'enable key' | 'use key'): Maker =>
  ({ key }) =>
    key === undefined ? null : { kind, key }

const onSession =
  (kind: 'sign out' | 'use token'): Maker =>
  ({ session }) =>
    session === undefined ? null : { kind, session }

/** A wish becomes a call as far as there is something to call it on. */
const ACTIONS: Readonly<Record<Action['kind'], Maker>> = {
  // A password costs time: two sessions are enough to tell them apart.
  'sign in': ({ sessions, made }) => (sessions < 2 ? { kind: 'sign in', made } : null),
  'disable user': ({ made }) => ({ kind: 'disable user', made }),
  'enable user': ({ made }) => ({ kind: 'enable user', made }),
  'create key': ({ session, made }) =>
    session === undefined ? null : { kind: 'create key', session, made },
  'rotate key': ({ key, back, made }) =>
    key === undefined
      ? null
      : { kind: 'rotate key', key, overlapMs: back === 0 ? 0 : 60_000, made },
  refresh: ({ session, newest, back }) =>
    session === undefined
      ? null
      : { kind: 'refresh', session, counter: Math.max(0, newest - back) },
  'revoke key': onKey('revoke key'),
  'disable key': onKey('disable key'),
  'enable key': onKey('enable key'),
  'use key': onKey('use key'),
  'sign out': onSession('sign out'),
  'use token': onSession('use token'),
}

function pick(names: readonly string[], at: number): string | undefined {
  return names[at % Math.max(1, names.length)]
}

let networks = 0

/** From a network of its own each time, so that refusals before do not slow it down. */
async function signIn(): Promise<TokenPair> {
  networks += 1
  const metadata = callMetadata({
    'service-token': SERVICE_TOKEN,
    'client-ip': `10.${String(networks >> 16)}.${String((networks >> 8) & 255)}.${String(networks & 255)}`,
  })
  const request = IssueTokenRequest.create({ username, password: USER_PASSWORD })
  const { tokens } = await unary<IssueTokenResponse>((done) =>
    tokenClient.issueToken(request, metadata, done),
  )
  if (!tokens) throw new Error('an answer without tokens')
  return tokens
}

function createKey(accessToken: string): Promise<CreateKeyResponse> {
  const request = CreateKeyRequest.create({ name: 'A key', scopes: ['read'] })
  return unary((done) => keyClient.createKey(request, as(accessToken), done))
}

function rotateKey(id: string, overlapSeconds: number): Promise<RotateKeyResponse> {
  return unary((done) => keyClient.rotateKey({ id, overlapSeconds }, as(ADMIN_KEY), done))
}

async function outcomeOfUse(credential: string): Promise<Outcome> {
  const [isAllowed] = await allowed([credential])
  return isAllowed === true ? 'done' : 'refused'
}

async function allowed(texts: readonly string[]): Promise<boolean[]> {
  const requests = texts.map((credential) =>
    AuthorizeRequest.create({ credential, requiredScopes: ['read'] }),
  )
  const metadata = callMetadata({ 'service-token': SERVICE_TOKEN })
  const { responses } = await unary<{ responses: AuthorizeResponse[] }>((done) =>
    authorizationClient.batchAuthorize({ requests }, metadata, done),
  )
  return responses.map(({ decision }) => decision === Decision.DECISION_ALLOW)
}

function isRefusal(error: unknown): error is ServiceError {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    typeof error.code === 'number' &&
    REFUSALS.has(error.code)
  )
}
