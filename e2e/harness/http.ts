import { request } from 'node:http'
import { expect } from '@jest/globals'
import { z } from 'zod'
import { rememberSecrets } from './secrets.js'
import { stack } from './stack.js'

export interface Question {
  readonly method?: string
  /** Presented in the Authorization header. */
  readonly key?: string | undefined
  /** Where to ask; the stack of this run unless told otherwise. */
  readonly server?: string | undefined
  /** Sent as JSON, unless it is a text: that is sent as it stands. */
  readonly body?: unknown
  /** A list becomes several headers of that name. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly text: string
}

/** One request to the API, by a client that sends whatever it is told to. */
export function ask(path: string, question: Question = {}): Promise<Answer> {
  const { method = 'GET', key, body, headers = {}, server = stack.query_api_url } = question
  const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const sent = request(`${server}${path}`, { method, agent: false })
    if (key !== undefined) sent.setHeader('Authorization', `Bearer ${key}`)
    if (text !== undefined) sent.setHeader('Content-Type', 'application/json')
    for (const [name, value] of Object.entries(headers)) sent.setHeader(name, value)
    sent.on('error', reject)
    sent.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const { statusCode = 0, headers: received } = response
        const answer = Buffer.concat(chunks).toString()
        rememberSecrets(answer)
        resolve({ status: statusCode, headers: received, text: answer })
      })
      response.on('error', reject)
    })
    rememberSecrets(text ?? '')
    sent.end(text)
  })
}

/** `POST /api/v1/query` */
export function query(key: string, body: unknown): Promise<Answer> {
  return ask('/api/v1/query', { method: 'POST', key, body })
}

/** The fields of an answer that must be a JSON object. */
export function fieldsOf({ text }: Pick<Answer, 'text'>): Readonly<Record<string, unknown>> {
  return z.record(z.string(), z.unknown()).parse(JSON.parse(text))
}

const rowsOf = z.object({ data: z.array(z.record(z.string(), z.unknown())) })

/** The rows of a query that must succeed. */
export async function rows(
  key: string,
  body: unknown,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const answer = await query(key, body)
  expect(answer).toMatchObject({ status: 200 })
  return rowsOf.parse(JSON.parse(answer.text)).data
}

const issued = z.object({ id: z.string(), key: z.string() })

export interface NewKey {
  readonly scopes?: readonly string[]
  readonly roles?: readonly string[]
  readonly attributes?: Readonly<Record<string, unknown>>
  readonly allowed_ips?: readonly string[]
}

/** A new key, made over REST by the admin or by whom `credential` belongs to. */
export async function createKey(
  key: NewKey = {},
  credential = stack.admin_api_key,
): Promise<z.output<typeof issued>> {
  const body = { name: 'e2e', expires_in_days: 1, ...key }
  const answer = await ask('/api/v1/auth/keys', { method: 'POST', key: credential, body })
  expect(answer).toMatchObject({ status: 201 })
  return issued.parse(JSON.parse(answer.text))
}
