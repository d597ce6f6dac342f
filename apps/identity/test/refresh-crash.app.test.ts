import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { credentials, status } from '@grpc/grpc-js'
import { sql } from '@olytix/postgres'
import {
  IssueTokenRequest,
  type IssueTokenResponse,
  type RefreshTokenResponse,
  type TokenPair,
  TokenServiceClient,
} from '@olytix/proto'
import { z } from 'zod'
import { decodePart } from './forge.js'
import { ADMIN_EMAIL, ADMIN_PASSWORD, failure, Harness, unary } from './harness.js'
import { IdentityProcess } from './identity-process.js'
import { TcpGate } from '@olytix/postgres/testing'

let identity: Harness

beforeEach(async () => {
  identity = await Harness.start()
})

afterEach(() => identity.end())

test('12 a process killed between its commit and its reply: the token just spent gets the same pair, an older one ends the session', async () => {
  const doomed = await IdentityProcess.start(identity.settings)
  const gate = await TcpGate.before(doomed.address)
  const client = new TokenServiceClient(gate.address, credentials.createInsecure())
  try {
    // By the same process, since only that has the time of the day.
    const first = await signIn(client)
    const pair = await refresh(client, first.refreshToken)
    gate.holdReplies()
    const lost = failure(refresh(client, pair.refreshToken))
    await eventually(async () => (await sessionOf(pair)).counter === 2)
    await doomed.kill()
    expect((await lost).code).toBe(status.UNAVAILABLE)

    const next = await IdentityProcess.start(identity.settings)
    const survivor = new TokenServiceClient(next.address, credentials.createInsecure())
    try {
      const again = await refresh(survivor, pair.refreshToken)
      const twice = await refresh(survivor, pair.refreshToken)
      expect(twice).toEqual(again)
      expect(await sessionOf(pair)).toMatchObject({ counter: 2, ended_at: null })
      const reused = await failure(refresh(survivor, first.refreshToken))
      expect(reused.code).toBe(status.UNAUTHENTICATED)
      expect((await sessionOf(pair)).ended_at).not.toBeNull()
      expect(await reuseEvents(pair)).toBe(1)
      const over = await failure(refresh(survivor, again.refreshToken))
      expect(over.code).toBe(status.UNAUTHENTICATED)
    } finally {
      survivor.close()
      await next.kill()
    }
  } finally {
    client.close()
    await gate.stop()
    await doomed.kill()
  }
})

test('12 a step that is rolled back leaves the counter, and the token still works', async () => {
  const pair = await identity.signIn()
  await identity.owner.execute(sql`
    create function refuse_commit() returns trigger language plpgsql as $$
    begin
      raise exception 'rolled back by the test';
    end $$`)
  await identity.owner.execute(sql`
    create constraint trigger sessions__refuse_commit after update of counter on sessions
    deferrable initially deferred for each row execute function refuse_commit()`)
  expect((await failure(identity.refresh(pair.refreshToken))).code).toBe(status.INTERNAL)
  expect(await sessionOf(pair)).toMatchObject({ counter: 0, ended_at: null })
  await identity.owner.execute(sql`drop trigger sessions__refuse_commit on sessions`)
  const next = await identity.refresh(pair.refreshToken)
  expect(next.refreshToken).not.toBe(pair.refreshToken)
  expect(await sessionOf(pair)).toMatchObject({ counter: 1, ended_at: null })
})

async function signIn(client: TokenServiceClient): Promise<TokenPair> {
  const request = IssueTokenRequest.create({ username: ADMIN_EMAIL, password: ADMIN_PASSWORD })
  const { tokens } = await unary<IssueTokenResponse>((done) => client.issueToken(request, done))
  if (!tokens) throw new Error('an answer without tokens')
  return tokens
}

async function refresh(client: TokenServiceClient, refreshToken: string): Promise<TokenPair> {
  const { tokens } = await unary<RefreshTokenResponse>((done) =>
    client.refreshToken({ refreshToken }, done),
  )
  if (!tokens) throw new Error('an answer without tokens')
  return tokens
}

async function sessionOf(pair: TokenPair): Promise<{ counter: number; ended_at: Date | null }> {
  const row = await identity.owner.maybeOne(
    z.object({ counter: z.int(), ended_at: z.date().nullable() }),
    sql`select counter, ended_at from sessions where id = ${sessionId(pair)}`,
  )
  if (!row) throw new Error('no such session')
  return row
}

async function reuseEvents(pair: TokenPair): Promise<number> {
  const events = await identity.owner.many(
    z.unknown(),
    sql`
      select from audit_events
      where subject_id = ${sessionId(pair)} and event_type = 'refresh_reuse_detected'`,
  )
  return events.length
}

function sessionId({ accessToken }: TokenPair): string {
  return String(decodePart(accessToken, 1)['sid'])
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error('not within 10 s')
  }
}
