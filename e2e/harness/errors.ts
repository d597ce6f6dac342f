import { expect } from '@jest/globals'
import { z } from 'zod'
import type { Answer } from './http.js'

/** The two bodies that the documentation fixes, byte for byte. */
export const UNAUTHORIZED =
  '{"error":{"code":"UNAUTHORIZED","message":"Invalid or missing authentication"}}'
export const FORBIDDEN =
  '{"error":{"code":"FORBIDDEN","message":"Insufficient permissions for this resource"}}'

const detail = z.strictObject({
  path: z.string(),
  message: z.string().min(1),
  suggestion: z.string().optional(),
})
const body = z.strictObject({
  error: z.strictObject({
    code: z.string(),
    message: z.string().min(1),
    details: z.array(detail).min(1).optional(),
  }),
})

/** What only PostgreSQL, its driver, a framework or a stack trace would say. */
const INSIDE =
  /syntax error|SQLSTATE|relation "|column "|operator does not exist|invalid input syntax|violates|pg_|\bselect\b.*\bfrom\b|\bat .*\.(js|ts):\d|ECONN|FST_ERR|Unexpected token|statusCode/is

/**
 * Demands an error of the API: its shape, its request id, and not a word from inside.
 * @returns the error
 */
export function expectRefusal(
  answer: Answer,
  status: number,
  code: string,
): z.output<typeof body>['error'] {
  expect({ status: answer.status, text: answer.text }).toMatchObject({
    status,
    text: expect.stringContaining(`"code":"${code}"`),
  })
  expect(answer.headers['content-type']).toMatch(/^application\/json\b/)
  expect(answer.headers['x-request-id']).toMatch(/^[A-Za-z0-9_-]{8,64}$/)
  expect(answer.text).not.toMatch(INSIDE)
  const { error } = body.parse(JSON.parse(answer.text))
  if (code.startsWith('INVALID_')) expect(error.details).toBeDefined()
  else expect(error.details).toBeUndefined()
  return error
}

/** Demands a 400 that says what is wrong with the request or the question, and where. */
export function expectBadRequest(answer: Answer): z.output<typeof body>['error'] {
  const isQuestion = answer.text.startsWith('{"error":{"code":"INVALID_QUERY"')
  return expectRefusal(answer, 400, isQuestion ? 'INVALID_QUERY' : 'INVALID_REQUEST')
}
