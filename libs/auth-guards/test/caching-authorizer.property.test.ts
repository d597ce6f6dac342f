import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { CachingAuthorizer, type Scope, type Verdict } from '../src/index.js'
import { aPrincipal, FakeClock } from '../src/testing/index.js'
import { FakeIdentity } from './fake-identity.js'

const RUNS = Number(process.env['OLYTIX_TEST__PROPERTY_RUNS'] ?? 300)
/** The oldest that an answer may be, whatever becomes of the stream. */
const BOUND_MS = 2_000
const SCOPES: readonly Scope[] = ['read', 'write']
const KEYS = ['key_1', 'key_2', 'key_3']

const key = fc.constantFrom(...KEYS)
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      key,
      scope: fc.constantFrom(...SCOPES),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('scopes' as const),
      key,
      scopes: fc.subarray([...SCOPES]),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('end' as const), key }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('tell' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.integer({ min: 1, max: 2_500 }),
    }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** An identity whose changes are told late or not at all, with a cache before it. */
class World {
  readonly clock = new FakeClock()
  private readonly identity = new FakeIdentity()
  private readonly authorizer = new CachingAuthorizer(this.identity, {
    clock: this.clock,
    random: () => 1,
  })
  /** What changed at each revision after the first. */
  private readonly changed: string[] = []
  private told = 0
  private streams = 0
  /** What was true, and from when on. */
  private readonly history = new Map<
    string,
    { readonly fromMs: number; readonly scopes: readonly Scope[] | 'ended' }[]
  >()

  constructor() {
    for (const id of KEYS) this.set(id, SCOPES)
    this.authorizer.start()
    this.tell()
  }

  async take(taken: Step): Promise<void> {
    if (taken.kind === 'scopes') this.set(taken.key, taken.scopes)
    if (taken.kind === 'end') this.end(taken.key)
    if (taken.kind === 'tell') this.tell()
    if (taken.kind === 'lose') this.identity.endStream()
    if (taken.kind === 'pass') this.clock.advance(taken.ms)
    if (taken.kind === 'ask') await this.check(taken.key, taken.scope)
  }

  /** Every verdict is what identity would have said at some moment within the bound, and at once if all was told. */
  async check(id: string, scope: Scope): Promise<void> {
    const verdict = await this.authorizer.authorize(questionOf(id, scope))
    const isAllTold =
      this.told === this.identity.revision && this.streams === this.identity.streams.length
    const sinceMs = this.clock.elapsedMs() - (isAllTold ? 0 : BOUND_MS)
    const past = this.history.get(id) ?? []
    const possible = past.filter((_, place) => (past[place + 1]?.fromMs ?? Infinity) >= sinceMs)
    const latest = past.slice(-1)
    expect((isAllTold ? latest : possible).map(({ scopes }) => verdictOf(scopes, scope))).toContain(
      summary(verdict),
    )
  }

  close(): Promise<void> {
    return this.authorizer.close()
  }

  private set(id: string, scopes: readonly Scope[]): void {
    if (this.identity.ended.has(id)) return
    this.identity.principals.set(id, aPrincipal({ id, roles: [], scopes }))
    this.change(id, scopes)
  }

  private end(id: string): void {
    if (this.identity.ended.has(id)) return
    this.identity.ended.add(id)
    this.change(id, 'ended')
  }

  private change(id: string, scopes: readonly Scope[] | 'ended'): void {
    this.changed.push(id)
    this.identity.revision += 1
    this.history.set(id, [
      ...(this.history.get(id) ?? []),
      { fromMs: this.clock.elapsedMs(), scopes },
    ])
  }

  private tell(): void {
    const stream = this.identity.streams.at(-1)
    if (!stream?.isOpen) return
    const from = this.streams === this.identity.streams.length ? this.told : stream.fromRevision
    this.streams = this.identity.streams.length
    this.told = this.identity.revision
    const changes = from === 0 ? [] : this.changed.slice(from - 1)
    this.identity.tell({ resync: from === 0, changes })
  }
}

function questionOf(id: string, scope: Scope) {
  return {
    credential: { text: id, source: 'header' as const },
    requiredScopes: [scope],
    resource: 'GET /',
    clientIp: '127.0.0.1',
    requestId: 'request-1',
  }
}

function verdictOf(scopes: readonly Scope[] | 'ended', scope: Scope): string {
  if (scopes === 'ended') return 'unidentified'
  return scopes.includes(scope) ? `allow ${scopes.join()}` : 'refused'
}

function summary(verdict: Verdict): string {
  return verdict.decision === 'allow'
    ? `allow ${verdict.principal.scopes.join()}`
    : verdict.decision
}

test('whatever happens in whatever order: an answer is what identity says, or said two seconds ago at most', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
      const world = new World()
      for (const each of steps) await world.take(each)
      await world.close()
    }),
    { numRuns: RUNS },
  )
})
