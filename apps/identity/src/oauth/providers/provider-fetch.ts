import { lookup } from 'node:dns/promises'
import http from 'node:http'
import https from 'node:https'
import type { LookupFunction } from 'node:net'
import type { CustomFetch, CustomFetchOptions } from 'openid-client'
import { isPublicAddress } from './public-address.js'
import { ProviderUnreachable } from './provider-errors.js'

export interface ResolvedAddress {
  readonly address: string
  readonly family: number
}

export interface FetchRules {
  /** Also addresses that are not public, and to those plain http. */
  readonly allowPrivateAddresses: boolean
  /** Of one request, answer included. */
  readonly timeoutMs: number
  /** How a name is resolved; the system's way if absent. */
  readonly resolve?: (hostname: string) => Promise<readonly ResolvedAddress[]>
}

const MAX_BYTES = 1024 * 1024
const EMPTY_ANSWERS: readonly number[] = [204, 205]
/** What the protocol gives a meaning; everything else is a provider out of order. */
const MEANT_FAILURES: readonly number[] = [400, 401, 403]

/**
 * The only way from here to a provider: https (plain http to private addresses if those are allowed), every address
 * of a name judged before anything is sent and no other one connected to, no redirects, no compression, limits on time
 * and size. The addresses come from the project file and from what providers say of themselves.
 * @throws ProviderUnreachable for everything but a JSON or JWT answer, or a refusal (400, 401, 403)
 */
export function createProviderFetch(rules: FetchRules): CustomFetch {
  return async (address, options) => {
    const signal = AbortSignal.timeout(Math.max(Math.floor(rules.timeoutMs), 1))
    try {
      const url = new URL(address)
      const lookup = pinned(await withinTime(signal, permittedAddresses(url, rules)))
      return meaningful(await send(url, { ...options, signal, lookup }))
    } catch (error) {
      if (error instanceof ProviderUnreachable) throw error
      throw new ProviderUnreachable(signal.aborted ? 'no answer in time' : reasonOf(error))
    }
  }
}

async function permittedAddresses(
  url: URL,
  rules: FetchRules,
): Promise<readonly ResolvedAddress[]> {
  const hostname = url.hostname.replace(/^\[|\]$/g, '')
  const resolve = rules.resolve ?? ((name) => lookup(name, { all: true }))
  const addresses = await resolve(hostname)
  if (addresses.length === 0) throw new ProviderUnreachable('an unknown host')
  const isPublic = addresses.map(({ address }) => isPublicAddress(address))
  if (isPublic.includes(false) && !rules.allowPrivateAddresses) {
    throw new ProviderUnreachable('an address that is not public')
  }
  if (url.protocol !== 'https:' && isPublic.includes(true)) {
    throw new ProviderUnreachable('an address without https')
  }
  return addresses
}

/** Connects to what was judged and asks nobody again: a second answer might be another one. */
function pinned(addresses: readonly ResolvedAddress[]): LookupFunction {
  return (_hostname, options, done) => {
    const [first] = addresses
    if (options.all) done(null, [...addresses])
    else done(null, first?.address ?? '', first?.family)
  }
}

interface Sending extends CustomFetchOptions {
  readonly lookup: LookupFunction
}

function send(url: URL, { method, headers, body, signal, lookup }: Sending): Promise<Response> {
  const text = bodyText(body)
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? https : http).request(url, {
      method,
      headers: {
        ...headers,
        'accept-encoding': 'identity',
        ...(text === undefined ? {} : { 'content-length': Buffer.byteLength(text) }),
      },
      agent: false,
      lookup,
      signal,
    })
    request.on('error', reject)
    request.on('response', (answer) => {
      readAnswer(answer).then(resolve, (error: unknown) => {
        request.destroy()
        reject(error instanceof Error ? error : new Error('unreadable'))
      })
    })
    request.end(text)
  })
}

function bodyText(body: CustomFetchOptions['body']): string | undefined {
  if (body === undefined || body === null) return undefined
  if (typeof body === 'string' || body instanceof URLSearchParams) return body.toString()
  throw new TypeError('a body that is no form')
}

async function readAnswer(answer: http.IncomingMessage): Promise<Response> {
  if ((answer.headers['content-encoding'] ?? 'identity') !== 'identity') {
    throw new ProviderUnreachable('a compressed answer')
  }
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer) {
    if (!Buffer.isBuffer(chunk)) throw new TypeError('no bytes')
    size += chunk.length
    if (size > MAX_BYTES) throw new ProviderUnreachable('an answer of more than 1 MB')
    chunks.push(chunk)
  }
  const status = answer.statusCode ?? 0
  const headers = new Headers()
  for (const name of ['content-type', 'www-authenticate']) {
    const value = answer.headers[name]
    if (typeof value === 'string') headers.set(name, value)
  }
  return new Response(EMPTY_ANSWERS.includes(status) ? null : Buffer.concat(chunks), {
    status,
    headers,
  })
}

function meaningful(response: Response): Response {
  if (MEANT_FAILURES.includes(response.status)) return response
  if (!response.ok) throw new ProviderUnreachable(`status ${String(response.status)}`)
  const type = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (/^application\/(json|jwt|[a-z0-9.-]+\+json)$/.test(type)) return response
  throw new ProviderUnreachable('an answer that is no JSON')
}

async function withinTime<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const timeUp = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(new ProviderUnreachable('no answer in time'))
    })
  })
  return Promise.race([work, timeUp])
}

/** `ECONNREFUSED`, `ENOTFOUND`, `CERT_HAS_EXPIRED`: never the text, which names addresses. */
function reasonOf(error: unknown): string {
  const isObject = typeof error === 'object' && error !== null
  const code = isObject && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[A-Z0-9_]{2,60}$/.test(code) ? code : 'no connection'
}
