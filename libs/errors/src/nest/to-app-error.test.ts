import { HttpException } from '@nestjs/common'
import { describe, expect, test } from '@jest/globals'
import { AppError } from '../app-error.js'
import { toAppError } from './to-app-error.js'

describe('what somebody else threw', () => {
  test.each([
    [new Error('relation "users" does not exist'), 'INTERNAL'],
    [new HttpException('Cannot GET /x', 404), 'NOT_FOUND'],
    [new HttpException('teapot', 418), 'INTERNAL'],
    [Object.assign(new Error('Body too large'), { statusCode: 413 }), 'PAYLOAD_TOO_LARGE'],
    [Object.assign(new Error('pool is gone'), { statusCode: 503 }), 'INTERNAL'],
    ['a text', 'INTERNAL'],
    [null, 'INTERNAL'],
  ])('%p becomes %s, and its text stays inside', (thrown, code) => {
    const error = toAppError(thrown)
    expect(error.code).toBe(code)
    if (thrown instanceof Error)
      expect(JSON.stringify(error.toBody())).not.toContain(thrown.message)
  })

  test('an AppError passes as it is', () => {
    const error = new AppError('CONFLICT', 'taken')
    expect(toAppError(error)).toBe(error)
  })
})
