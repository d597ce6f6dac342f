import type { Secret } from '@olytix/config'
import { parse, stringify } from 'lossless-json'
import type { z } from 'zod'
import { errorBody } from './answers.js'
import { ApiRefusal, ServerUnreachable } from './api-errors.js'
import type { Credential } from './credential.js'

/** Longer than the longest query the server allows. */
const TIMEOUT_MS = 310_000

export interface Endpoint {
  /** Where the server is; may have a path when it stands behind a proxy. */
  readonly url: URL
  /** Absent for calls that need none: signing in, for example. */
  readonly credential?: Credential
}

/** What is undefined is left out. */
export type Search = Readonly<Record<string, string | undefined>>

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below the server's URL, already encoded: `api/v1/auth/me`. */
  readonly path: string
  readonly search?: Search
  readonly body?: unknown
  /** An entity tag: the request is refused when the server has another. */
  readonly ifMatch?: string
  readonly timeoutMs?: number
}

/**
 * One request; the answer parsed by `schema`, numbers as LosslessNumber.
 * @throws ApiRefusal for an error of the API, ServerUnreachable when nothing or something else answers.
 */
export async function call<T>(
  endpoint: Endpoint,
  request: ApiRequest,
  schema: z.ZodType<T>,
): Promise<T> {
  const { status, text } = await send(endpoint, request)
  const parsed = schema.safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const where = issue ? ` (${issue.path.join('.')}: ${issue.message})` : ''
  throw notOurs(endpoint, status, where)
}

/** One request whose success has no body. */
export async function command(endpoint: Endpoint, request: ApiRequest): Promise<void> {
  await send(endpoint, request)
}

interface Exchanged {
  readonly status: number
  readonly text: string
}

async function send(endpoint: Endpoint, request: ApiRequest): Promise<Exchanged> {
  const answer = await exchange(endpoint, request)
  if (answer.status >= 200 && answer.status < 300) return answer
  const refusal = errorBody.safeParse(parseJson(answer.text))
  if (!refusal.success) throw notOurs(endpoint, answer.status)
  const { code, message, details } = refusal.data.error
  throw new ApiRefusal(answer.status, code, message, details)
}

/** A credential that is refused gets one chance to give a better one. */
async function exchange(endpoint: Endpoint, request: ApiRequest): Promise<Exchanged> {
  const { credential } = endpoint
  const presented = await credential?.present()
  const answer = await exchangeOnce(endpoint, request, presented)
  if (answer.status !== 401 || !credential || !presented) return answer
  const renewed = await credential.renew(presented)
  return renewed ? exchangeOnce(endpoint, request, renewed) : answer
}

async function exchangeOnce(
  { url: server }: Endpoint,
  request: ApiRequest,
  presented: Secret | undefined,
): Promise<Exchanged> {
  const { method, path, search, body, timeoutMs = TIMEOUT_MS } = request
  const url = new URL(path, server)
  for (const [name, value] of Object.entries(search ?? {})) {
    if (value !== undefined) url.searchParams.set(name, value)
  }
  try {
    const response = await fetch(url, {
      method,
      // A redirect could carry the credential to somebody else.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
      headers: headersOf(request, presented),
      ...(body === undefined ? {} : { body: stringify(body) ?? '' }),
    })
    return { status: response.status, text: await response.text() }
  } catch (error) {
    throw new ServerUnreachable(`no answer from ${server.href}: ${reason(error)}`, error)
  }
}

function headersOf(
  { body, ifMatch }: ApiRequest,
  presented: Secret | undefined,
): Readonly<Record<string, string>> {
  return {
    ...(presented ? { authorization: `Bearer ${presented.reveal()}` } : {}),
    accept: 'application/json',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
  }
}

/** `undefined` for what is not JSON: no schema accepts that. */
function parseJson(text: string): unknown {
  try {
    return parse(text)
  } catch {
    return undefined
  }
}

function notOurs(endpoint: Endpoint, status: number, where = ''): ServerUnreachable {
  return new ServerUnreachable(
    `what answers at ${endpoint.url.href} is not Olytix Core, or another version of it: status ${String(status)}${where}`,
  )
}

/** fetch hides the reason in `cause`, and for a name with several addresses one level deeper. */
function reason(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown reason'
  if ('cause' in error && error.cause) return reason(error.cause)
  if ('errors' in error && Array.isArray(error.errors) && error.errors.length > 0) {
    return reason(error.errors[0])
  }
  return 'message' in error ? String(error.message) : 'unknown reason'
}
