import { isIP } from 'node:net'
import type { Metadata } from '@grpc/grpc-js'
import { canonicalAddress, type Scope } from '@olytix/auth-guards'
import { forbidden, invalidRequest } from '@olytix/errors'
import { requestId } from '@olytix/observability'
import type { PublicOrigin } from '../audit/origin.js'
import type { Question } from './bookkeeping.service.js'
import type { CredentialSource } from './decide.js'

interface Call {
  readonly metadata: Metadata
  /** Whether one of our services makes it, on behalf of its own caller. */
  readonly isServiceCall: boolean
  /** Where the connection comes from: `127.0.0.1:40312`. */
  readonly peer: string
}

interface ManagementCall extends Call {
  readonly requiredScopes: readonly Scope[]
  /** `KeyService.CreateKey`. */
  readonly resource: string
}

const SOURCES: readonly CredentialSource[] = ['header', 'query_parameter']

/**
 * The question that a management call puts about whoever makes it. Who that is comes from metadata alone:
 * `authorization`, and from our services `client-ip`, `credential-source` (`header` or `query_parameter`) and
 * `request-id`.
 * @throws AppError INVALID_REQUEST for metadata that cannot be read, FORBIDDEN for metadata of a service by a stranger
 */
export function toQuestion(call: ManagementCall): Question {
  const { requestId, clientIp } = toPublicOrigin(call)
  return {
    credential: bearerToken(only(call.metadata, 'authorization')),
    source: parseSource(only(call.metadata, 'credential-source')),
    clientIp,
    requiredScopes: call.requiredScopes,
    resource: call.resource,
    requestId,
    isPassedOn: call.isServiceCall && only(call.metadata, 'client-ip') !== undefined,
  }
}

/**
 * Where a call comes from, whoever makes it.
 * @throws AppError INVALID_REQUEST for metadata that cannot be read, FORBIDDEN for metadata of a service by a stranger
 */
export function toPublicOrigin({ metadata, isServiceCall, peer }: Call): PublicOrigin {
  const clientIp = only(metadata, 'client-ip')
  const source = only(metadata, 'credential-source')
  if ((source !== undefined || clientIp !== undefined) && !isServiceCall) {
    throw forbidden('client-ip or credential-source without the service token')
  }
  return {
    principal: null,
    requestId: requestId(only(metadata, 'request-id')),
    clientIp: parseAddress(clientIp ?? addressOf(peer)),
  }
}

/** RFC 6750 §2.1; the scheme in any case. Nothing, and any other scheme, is no credential. */
function bearerToken(header: string | undefined): string {
  const [, token = ''] = /^bearer +(.*)$/i.exec(header ?? '') ?? []
  return token
}

function parseSource(text: string | undefined): CredentialSource {
  const source = SOURCES.find((known) => known === (text ?? 'header'))
  if (!source) throw unreadable('credential-source')
  return source
}

function parseAddress(text: string | undefined): string | null {
  if (text === undefined) return null
  const address = canonicalAddress(text)
  if (isIP(address) === 0) throw unreadable('client-ip')
  return address
}

/** `::1` from `[::1]:50051`; nothing for a Unix socket. */
function addressOf(peer: string): string | undefined {
  const host = /^\[?([^\]]*)\]?:\d+$/.exec(peer)?.[1]
  return host !== undefined && isIP(host) !== 0 ? host : undefined
}

function only(metadata: Metadata, name: string): string | undefined {
  const values = metadata.get(name)
  if (values.length > 1) throw unreadable(name)
  return values[0]?.toString()
}

function unreadable(name: string): Error {
  return invalidRequest([{ path: name, message: `The metadata ${name} cannot be read` }])
}
