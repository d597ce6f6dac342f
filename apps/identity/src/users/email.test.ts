import { describe, expect, test } from '@jest/globals'
import { canonicalEmail } from './email.js'

describe('an e-mail address', () => {
  test.each([
    ['Ada@Example.com', 'ada@example.com'],
    ['ada＠example.com', 'ada@example.com'],
    ['Ａda@example.com', 'ada@example.com'],
    ['admin@localhost', 'admin@localhost'],
    ["o'neil+tag@mail.example.co.uk", "o'neil+tag@mail.example.co.uk"],
  ])('%s is compared as %s', (text, canonical) => {
    expect(canonicalEmail(text)).toBe(canonical)
  })

  test.each([
    ['', 'nothing'],
    ['ada', 'no domain'],
    ['@example.com', 'no name'],
    ['ada@', 'an empty domain'],
    ['a@x,b@y', 'two addresses'],
    ['ada@example.com.', 'a trailing dot'],
    ['ada@example.com ', 'a trailing blank'],
    ['a da@example.com', 'a blank'],
    ['ad\u200ba@example.com', 'a zero-width character'],
    ['İda@example.com', 'a letter whose lower case is two characters'],
    ['ada@example.com\n', 'a newline'],
    ['ada\0@example.com', 'NUL'],
    [`${'a'.repeat(250)}@example.com`, 'too many characters'],
    ['a'.repeat(1_000_000), 'a million characters'],
  ])('%# is refused for %s', (text) => {
    expect(canonicalEmail(text)).toBeUndefined()
  })
})
