import { randomUUID } from 'node:crypto'
import { expect } from '@jest/globals'
import { z } from 'zod'
import { type Answer, ask } from './http.js'
import { stack } from './stack.js'

export interface Account {
  readonly id: string
  readonly email: string
  readonly password: string
}

export interface AccountSettings {
  readonly roles?: readonly string[]
  readonly attributes?: Readonly<Record<string, unknown>>
}

const created = z.object({ id: z.string() })

/** The documented answer, to the letter: these four and nothing else. */
const tokenPair = z.strictObject({
  access_token: z.string().regex(/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/),
  token_type: z.literal('bearer'),
  expires_in: z.literal(3600),
  refresh_token: z.string().regex(/^refresh_[\w-]+$/),
})
export type TokenPair = z.output<typeof tokenPair>

/** One that nobody else has, so that a log which holds it can only have it from here. */
export function aPassword(): string {
  return `e2e pass phrase ${randomUUID()}`
}

export function anEmail(): string {
  return `${randomUUID()}@example.com`
}

/** A call of the admin. */
export function asAdmin(method: string, path: string, body?: unknown): Promise<Answer> {
  return ask(`/api/v1/auth/${path}`, { method, key: stack.admin_api_key, body })
}

/** A new user with a password, made by the admin over REST. */
export async function createUser(settings: AccountSettings = {}): Promise<Account> {
  const [email, password] = [anEmail(), aPassword()]
  const answer = await asAdmin('POST', 'users', { email, password, name: 'e2e', ...settings })
  expect(answer).toMatchObject({ status: 201 })
  return { id: created.parse(JSON.parse(answer.text)).id, email, password }
}

/** `POST /auth/token` */
export function askForToken(username: string, password: string): Promise<Answer> {
  return ask('/api/v1/auth/token', { method: 'POST', body: { username, password } })
}

/** The pair of a sign-in that must succeed. */
export async function signIn({ email, password }: Omit<Account, 'id'>): Promise<TokenPair> {
  return pairOf(await askForToken(email, password))
}

/** `POST /auth/refresh` */
export function refresh(token: string): Promise<Answer> {
  return ask('/api/v1/auth/refresh', { method: 'POST', body: { refresh_token: token } })
}

/** The token pair of an answer that must have one, in the documented shape. */
export function pairOf(answer: Answer): TokenPair {
  expect(answer).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } })
  return tokenPair.parse(JSON.parse(answer.text))
}

/** The status that `GET /auth/me` gives a credential. */
export async function statusOf(credential: string): Promise<number> {
  return (await ask('/api/v1/auth/me', { key: credential })).status
}

const BOUND_MS = 1_000

/** Demands that a credential is refused within the documented bound, and stays so. */
export async function expectRefused(credential: string): Promise<void> {
  await expectWithinBound(() => statusOf(credential), 401)
  expect(await statusOf(credential)).toBe(401)
}

/** Asks until the answer is `wanted`: a change must have reached every guard within a second. */
export async function expectWithinBound<T>(question: () => Promise<T>, wanted: T): Promise<void> {
  const start = performance.now()
  let answer: T
  do answer = await question()
  while (!Object.is(answer, wanted) && performance.now() - start < BOUND_MS)
  expect(answer).toEqual(wanted)
}
