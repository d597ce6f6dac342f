import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { presentedCredential } from './presented-credential.js'

const header = (...values: string[]) =>
  presentedCredential({
    rawHeaders: values.flatMap((value) => ['Authorization', value]),
    query: {},
  })
const query = (parameters: unknown) => presentedCredential({ rawHeaders: [], query: parameters })

describe('the Authorization header', () => {
  test.each([
    [[]],
    [['']],
    [['  ']],
    [['Bearer']],
    [['Bearer ']],
    [['Basic abc']],
    [['Token abc']],
  ])('%j counts as no credential', (values) => {
    expect(header(...values).kind).toBe('absent')
  })

  test.each(['Bearer abc', 'bearer abc', 'BEARER abc', 'Bearer  abc'])(
    '%j carries abc',
    (value) => {
      expect(header(value)).toEqual({
        kind: 'credential',
        credential: { text: 'abc', source: 'header' },
      })
    },
  )

  test.each([
    [['Bearer a', 'Bearer b']],
    [['Bearer\tabc']],
    [['Bearer a, Bearer b']],
    [['Bearer schlüssel']],
    [['Bearer a\u0000']],
    [[`Bearer ${'a'.repeat(8193)}`]],
    [['<html>']],
  ])('%j is malformed', (values) => {
    expect(header(...values).kind).toBe('malformed')
  })
})

describe('the query parameter', () => {
  test('carries one key', () => {
    expect(query({ api_key: 'abc' })).toEqual({
      kind: 'credential',
      credential: { text: 'abc', source: 'query_parameter' },
    })
  })

  test.each([
    { api_key: ['a', 'b'] },
    { 'api_key[]': 'a' },
    { 'api_key[0]': 'a' },
    { api_key: 'a\u0000' },
    { api_key: '\ufffd' },
  ])('%j is malformed', (parameters) => {
    expect(query(parameters).kind).toBe('malformed')
  })

  test('together with a header it is malformed, whichever is right', () => {
    const both = { rawHeaders: ['authorization', 'Bearer a'], query: { api_key: 'a' } }
    expect(presentedCredential(both).kind).toBe('malformed')
  })
})

test('every input gives one of the three answers', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'binary' })),
      fc.anything(),
      (rawHeaders, parameters) => {
        const { kind } = presentedCredential({ rawHeaders, query: parameters })
        expect(['absent', 'credential', 'malformed']).toContain(kind)
      },
    ),
  )
})
