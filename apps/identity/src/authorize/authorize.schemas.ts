import { isIP } from 'node:net'
import { canonicalAddress } from '@olytix/auth-guards'
import { type ErrorDetail, invalidRequest, suggest } from '@olytix/errors'
import { requestId } from '@olytix/observability'
import { type AuthorizeRequest, type BatchAuthorizeRequest, CredentialSource } from '@olytix/proto'
import { isScope, SCOPES } from '../scopes/scopes.js'
import type { Question } from './bookkeeping.service.js'
import type { CredentialSource as Source } from './decide.js'

const SOURCES: Readonly<Partial<Record<CredentialSource, Source>>> = {
  [CredentialSource.CREDENTIAL_SOURCE_UNSPECIFIED]: 'header',
  [CredentialSource.CREDENTIAL_SOURCE_HEADER]: 'header',
  [CredentialSource.CREDENTIAL_SOURCE_QUERY_PARAMETER]: 'query_parameter',
}

const MAX_BATCH = 100
const MAX_RESOURCE = 500
/** Half a character is what remains where a text is cut. */
const NO_TEXT = /\p{Surrogate}/gu

/**
 * Reads a BatchAuthorize message.
 * @throws AppError INVALID_REQUEST with the problems of all questions
 */
export function parseQuestions({ requests }: BatchAuthorizeRequest): Question[] {
  if (requests.length > MAX_BATCH) {
    const message = `requests has at most ${String(MAX_BATCH)} entries`
    throw invalidRequest([{ path: 'requests', message }])
  }
  const problems = requests.flatMap((request, index) =>
    problemsOf(request).map((problem) => ({
      ...problem,
      path: `requests[${String(index)}].${problem.path}`,
    })),
  )
  if (problems.length > 0) throw invalidRequest(problems)
  return requests.map(parseQuestion)
}

/**
 * Reads an Authorize message. What this service does not understand cannot be decided: an unknown scope or source of a
 * newer caller is an error, never a guess.
 * @throws AppError INVALID_REQUEST
 */
export function parseQuestion(message: AuthorizeRequest): Question {
  const problems = problemsOf(message)
  if (problems.length > 0) throw invalidRequest(problems)
  return {
    credential: message.credential,
    source: SOURCES[message.source] ?? 'query_parameter',
    requiredScopes: message.requiredScopes.filter(isScope),
    resource: message.resource.slice(0, MAX_RESOURCE).replaceAll(NO_TEXT, '\ufffd'),
    clientIp: clientIpOf(message),
    requestId: requestId(message.requestId),
    isPassedOn: false,
  }
}

function problemsOf(message: AuthorizeRequest): ErrorDetail[] {
  const clientIp = clientIpOf(message)
  const problems: ErrorDetail[] = message.requiredScopes.flatMap(scopeProblem)
  if (!SOURCES[message.source]) {
    problems.push({ path: 'source', message: 'source is not one this service knows' })
  }
  if (message.resource.includes('\0')) {
    problems.push({ path: 'resource', message: 'resource holds a character that is not text' })
  }
  if (clientIp !== null && isIP(clientIp) === 0) {
    problems.push({ path: 'client_ip', message: 'client_ip must be an IPv4 or IPv6 address' })
  }
  return problems
}

function clientIpOf({ clientIp }: AuthorizeRequest): string | null {
  return clientIp === '' ? null : canonicalAddress(clientIp)
}

function scopeProblem(name: string, index: number): ErrorDetail[] {
  if (isScope(name)) return []
  const path = `required_scopes[${String(index)}]`
  return [
    {
      path,
      message: `${path} must be one of ${SCOPES.join(', ')}`,
      suggestion: suggest(name, SCOPES),
    },
  ]
}
