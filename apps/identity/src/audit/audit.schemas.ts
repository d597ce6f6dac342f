import { type ErrorDetail, invalidRequest, suggest } from '@olytix/errors'
import type { ListEventsRequest } from '@olytix/proto'
import { eventPosition } from './event-message.js'
import { AUDIT_EVENT_TYPES } from './event-types.js'
import type { EventFilter } from './events.queries.js'
import { isMoment } from './moment.js'

const DEFAULT_PAGE = 100
const MAX_PAGE = 1000
const MAX_SUBJECT = 500

/** @throws AppError INVALID_REQUEST with every problem at once */
export function parseEventPage(message: ListEventsRequest): {
  readonly filter: EventFilter
  readonly page: { readonly pageSize: number; readonly beforeId: number | null }
} {
  const { type, subject, from = null, to = null, pageSize, pageToken } = message
  const problems = [
    ...typeProblems(type),
    ...momentProblems('from', from),
    ...momentProblems('to', to),
    ...pageProblems(message),
  ]
  if (subject.length > MAX_SUBJECT || subject.includes('\0')) {
    problems.push(problem('subject', `must be text of at most ${String(MAX_SUBJECT)} characters`))
  }
  if (problems.length > 0) throw invalidRequest(problems)
  const beforeId = eventPosition(pageToken) ?? null
  return {
    filter: { type: type || null, subject: subject || null, from, to },
    page: { pageSize: pageSize || DEFAULT_PAGE, beforeId },
  }
}

function typeProblems(type: string): ErrorDetail[] {
  if (type === '' || AUDIT_EVENT_TYPES.some((known) => known === type)) return []
  const suggestion = suggest(type, AUDIT_EVENT_TYPES)
  return [{ ...problem('type', `must be one of ${AUDIT_EVENT_TYPES.join(', ')}`), suggestion }]
}

function momentProblems(path: string, moment: Date | null): ErrorDetail[] {
  return moment && !isMoment(moment) ? [problem(path, 'must be a moment from 1970 to 9999')] : []
}

function pageProblems({ pageSize, pageToken }: ListEventsRequest): ErrorDetail[] {
  const isToken = pageToken === '' || eventPosition(pageToken) !== undefined
  return [
    ...(pageSize > MAX_PAGE ? [problem('page_size', `must be from 1 to ${String(MAX_PAGE)}`)] : []),
    ...(isToken ? [] : [problem('page_token', 'is not one that a list answered')]),
  ]
}

function problem(path: string, message: string): ErrorDetail {
  return { path, message: `${path} ${message}` }
}
