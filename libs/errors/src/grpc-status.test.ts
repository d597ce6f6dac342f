import { Metadata, status } from '@grpc/grpc-js'
import { describe, expect, test } from '@jest/globals'
import { AppError, invalidRequest } from './app-error.js'
import { ERROR_CODES, isErrorCode } from './error-codes.js'
import { fromGrpcError, toGrpcError } from './grpc-status.js'

describe('an AppError over gRPC', () => {
  test.each(Object.keys(ERROR_CODES).filter(isErrorCode))('%s arrives as it was thrown', (code) => {
    const arrived = fromGrpcError(toGrpcError(new AppError(code, 'a message')), 'identity')
    expect([arrived.code, arrived.message]).toEqual([code, 'a message'])
  })

  test('keeps its details, whatever alphabet they are in', () => {
    const details = [{ path: 'name', message: '名前が長すぎます', suggestion: 'ключ' }]
    expect(fromGrpcError(toGrpcError(invalidRequest(details)), 'identity').details).toEqual(details)
  })

  test('keeps how long to wait, and no other header', () => {
    const headers = { 'retry-after': '7', 'www-authenticate': 'Bearer' }
    const thrown = new AppError('RATE_LIMITED', 'a message', { headers })
    expect(fromGrpcError(toGrpcError(thrown), 'identity').headers).toEqual({ 'retry-after': '7' })
  })

  test('keeps its cause at home', () => {
    const sent = toGrpcError(
      new AppError('INTERNAL', 'a message', { cause: new Error('password=hunter2') }),
    )
    expect(JSON.stringify([sent.details, sent.metadata.toJSON()])).not.toContain('hunter2')
  })
})

describe('a failed call without our trailer', () => {
  test.each([
    [status.UNAVAILABLE, 'UNAVAILABLE'],
    [status.DEADLINE_EXCEEDED, 'UNAVAILABLE'],
    [status.UNAUTHENTICATED, 'INTERNAL'],
    [status.NOT_FOUND, 'INTERNAL'],
  ])('status %i is %s: no guesses', (code, expected) => {
    const error = { code, details: 'secret text', metadata: new Metadata() }
    const arrived = fromGrpcError(error, 'identity')
    expect(arrived.code).toBe(expected)
    expect(arrived.message).not.toContain('secret text')
  })

  test('an unknown code in the trailer is no code', () => {
    const metadata = new Metadata()
    metadata.set('error-code', 'toString')
    const error = { code: status.INTERNAL, details: '', metadata }
    expect(fromGrpcError(error, 'identity').code).toBe('INTERNAL')
  })
})
