import { describe, expect, test } from '@jest/globals'
import { passwordProblem } from './password-rules.js'

describe('a password', () => {
  test.each([
    'a long enough phrase',
    'пароль из двенадцати',
    'x7#k2!m9@q4$',
    `${'é'.repeat(500)}abcdefg`,
  ])('%s is taken: no rules of composition', (password) => {
    expect(passwordProblem(password)).toBeUndefined()
  })

  test.each([
    ['admin', /12 characters/],
    ['😀😀😀😀😀😀', /12 characters/],
    ['é'.repeat(513), /1,024 bytes/],
    ['a'.repeat(1_000_000), /1,024 bytes/],
    ['Password1234', /first that an attacker/],
    ['ＰＡＳＳＷＯＲＤ1234', /first that an attacker/],
    ['aaaaaaaaaaaaaaaa', /first that an attacker/],
    ['Ada.Lovelace@example.com', /first that an attacker/],
    ['twelve chars\0', /not text/],
  ])('%# is refused', (password, problem) => {
    expect(passwordProblem(password, ['ada.lovelace@example.com'])).toMatch(problem)
  })
})
