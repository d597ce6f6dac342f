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
  /** Ends the request and what is read of its answer. */
  readonly signal?: AbortSignal
  /** Of server-sent events: those after it are asked for. */
  readonly lastEventId?: string
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
  const answer = await send(endpoint, request)
  const parsed = schema.safeParse(parseJson(await textOf(endpoint, answer)))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const where = issue ? ` (${issue.path.join('.')}: ${issue.message})` : ''
  throw notOurs(endpoint, answer.status, where)
}

/** One request whose success has no body. */
export async function command(endpoint: Endpoint, request: ApiRequest): Promise<void> {
  await textOf(endpoint, await send(endpoint, request))
}

/**
 * One request for server-sent events: the text of the answer as it arrives.
 * @throws what `call` throws; while it is read, whatever breaks the connection
 */
export async function openStream(
  endpoint: Endpoint,
  request: ApiRequest,
): Promise<ReadableStream<string>> {
  const { body } = await send(endpoint, request, 'text/event-stream')
  if (!body) throw notOurs(endpoint, 200)
  return body.pipeThrough(new TextDecoderStream())
}

async function send(
  endpoint: Endpoint,
  request: ApiRequest,
  accept = 'application/json',
): Promise<Response> {
  const answer = await exchange(endpoint, { ...request, accept })
  if (answer.ok) return answer
  const refusal = errorBody.safeParse(parseJson(await textOf(endpoint, answer)))
  if (!refusal.success) throw notOurs(endpoint, answer.status)
  const { code, message, details } = refusal.data.error
  throw new ApiRefusal(answer.status, code, message, details)
}

type Asked = ApiRequest & { readonly accept: string }

/** A credential that is refused gets one chance to give a better one. */
async function exchange(endpoint: Endpoint, request: Asked): Promise<Response> {
  const { credential } = endpoint
  const presented = await credential?.present()
  const answer = await exchangeOnce(endpoint, request, presented)
  if (answer.status !== 401 || !credential || !presented) return answer
  const renewed = await credential.renew(presented)
  return renewed ? exchangeOnce(endpoint, request, renewed) : answer
}

async function exchangeOnce(
  endpoint: Endpoint,
  request: Asked,
  presented: Secret | undefined,
): Promise<Response> {
  const { method, path, search, body, signal, timeoutMs = TIMEOUT_MS } = request
  const url = new URL(path, endpoint.url)
  for (const [name, value] of Object.entries(search ?? {})) {
    if (value !== undefined) url.searchParams.set(name, value)
  }
  const timeout = AbortSignal.timeout(timeoutMs)
  return reaching(endpoint, () =>
    fetch(url, {
      method,
      // A redirect could carry the credential to somebody else.
      redirect: 'manual',
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      headers: headersOf(request, presented),
      ...(body === undefined ? {} : { body: stringify(body) ?? '' }),
    }),
  )
}

function textOf(endpoint: Endpoint, answer: Response): Promise<string> {
  return reaching(endpoint, () => answer.text())
}

async function reaching<T>({ url }: Endpoint, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new ServerUnreachable(`no answer from ${url.href}: ${reason(error)}`, error)
  }
}

function headersOf(
  { accept, body, ifMatch, lastEventId }: Asked,
  presented: Secret | undefined,
): Readonly<Record<string, string>> {
  return {
    ...(presented ? { authorization: `Bearer ${presented.reveal()}` } : {}),
    accept,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
    ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
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
