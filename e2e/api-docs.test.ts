import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, test } from '@jest/globals'
import { z } from 'zod'
import { ask, fieldsOf } from './harness/http.js'

const operation = z.looseObject({
  operationId: z.string(),
  security: z.array(z.record(z.string(), z.array(z.string()))).optional(),
  description: z.string().optional(),
  parameters: z.array(z.looseObject({ name: z.string(), in: z.string() })).optional(),
})
const description = z.looseObject({
  openapi: z.string().startsWith('3.1.'),
  paths: z.record(z.string(), z.record(z.string(), operation)),
})

describe('GET /openapi.json', () => {
  test('is valid OpenAPI 3.1', async () => {
    const { status, text } = await ask('/openapi.json')
    expect(status).toBe(200)
    expect(await new Validator().validate(fieldsOf({ text }))).toEqual({ valid: true })
  })

  test('says of each route who may call it', async () => {
    const { paths } = description.parse(JSON.parse((await ask('/openapi.json')).text))
    const question = paths['/api/v1/query']?.['post']
    expect(question).toMatchObject({
      security: [{ bearer: [] }],
      description: 'Needs the scope `read`.',
    })
    expect(paths['/api/v1/auth/keys']?.['post']?.description).toBe('Needs the scope `admin`.')
    expect(paths['/api/v1/auth/token']?.['post']?.security).toBeUndefined()
  })

  test('describes each part of an address that varies', async () => {
    const { paths } = description.parse(JSON.parse((await ask('/openapi.json')).text))
    const missing = Object.entries(paths).flatMap(([path, operations]) =>
      Object.entries(operations).flatMap(([method, { parameters = [] }]) =>
        [...path.matchAll(/\{(\w+)\}/g)]
          .filter(
            ([, name]) => !parameters.some((each) => each.in === 'path' && each.name === name),
          )
          .map(([part]) => `${method} ${path}: ${part}`),
      ),
    )
    expect(Object.keys(paths)).toContain('/api/v1/auth/oauth/{name}/callback')
    expect(missing).toEqual([])
  })

  test('names no route that answers a stranger although it asks for a credential', async () => {
    const { paths } = description.parse(JSON.parse((await ask('/openapi.json')).text))
    const asked = Object.entries(paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(async ([method, { security }]) => {
        if (!security) return undefined
        const address = path.replaceAll(/\{\w+\}/g, 'x')
        return [method, path, (await ask(address, { method: method.toUpperCase() })).status]
      }),
    )
    const answers = (await Promise.all(asked)).filter((answer) => answer !== undefined)
    expect(answers.length).toBeGreaterThan(30)
    expect(answers.filter(([, , status]) => status !== 401)).toEqual([])
  })
})

describe('GET /docs', () => {
  test('is a page that runs only scripts of its own server', async () => {
    const { status, headers, text } = await ask('/docs')
    expect(status).toBe(200)
    expect(headers['content-security-policy']).toContain("script-src 'self';")
    const parts = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address ?? '')
    expect(parts.length).toBeGreaterThan(2)
    for (const part of parts) {
      expect(part).toMatch(/^\.\/docs\//)
      expect(await ask(part.slice(1))).toMatchObject({ status: 200 })
    }
  })
})
