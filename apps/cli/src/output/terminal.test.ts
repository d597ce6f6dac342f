import { PassThrough } from 'node:stream'
import { describe, expect, test } from '@jest/globals'
import { NoAnswer, readAnswers, readSecret } from './terminal.js'

const SIGN_IN = [{ prompt: 'E-mail: ', isShown: true }, { prompt: 'Password: ' }]

function aTerminal({ isTTY = false } = {}) {
  const stdin = Object.assign(new PassThrough(), { isTTY })
  return { stdin, stdout: new PassThrough(), stderr: new PassThrough() }
}

describe('at a terminal', () => {
  test('a secret that is typed is never shown', async () => {
    const terminal = aTerminal({ isTTY: true })
    const asked = readSecret(terminal, 'Key: ')
    terminal.stdin.write('olytix-core_key_hidden\n')
    expect(await asked).toBe('olytix-core_key_hidden')
    expect(String(terminal.stderr.read())).toBe('Key: \n')
    expect(terminal.stdout.read()).toBeNull()
  })

  test.each([
    ['one after the other', ['ada@example.com\n', 'hunter2\n']],
    ['pasted at once', ['ada@example.com\nhunter2\n']],
    ['with corrections', ['adaa\u007f@example.com\n', 'hunter3\u007f2\n']],
  ])('several answers, %s, show what is no secret alone', async (_how, typed) => {
    const terminal = aTerminal({ isTTY: true })
    const asked = readAnswers(terminal, SIGN_IN)
    for (const text of typed) terminal.stdin.write(text)
    expect(await asked).toEqual(['ada@example.com', 'hunter2'])
    const shown = String(terminal.stderr.read())
    expect(shown).toContain('@example.com')
    expect(shown).toContain('Password: \n')
    expect(shown).not.toContain('hunter')
  })

  test.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('%s ends the question', async (_name, key) => {
    const terminal = aTerminal({ isTTY: true })
    const asked = readAnswers(terminal, SIGN_IN)
    terminal.stdin.write(key)
    await expect(asked).rejects.toThrow(NoAnswer)
  })
})

describe('from a pipe', () => {
  test('a secret loses its line end', async () => {
    const terminal = aTerminal()
    terminal.stdin.end('olytix-core_key_piped\r\n')
    expect(await readSecret(terminal, 'Key: ')).toBe('olytix-core_key_piped')
    expect(terminal.stderr.read()).toBeNull()
  })

  test('each answer is a line, blanks and split characters kept, missing ones empty', async () => {
    const terminal = aTerminal()
    const bytes = Buffer.from(' pässword \nnext')
    terminal.stdin.write(bytes.subarray(0, 3))
    terminal.stdin.end(bytes.subarray(3))
    const questions = [{ prompt: 'a' }, { prompt: 'b' }, { prompt: 'c' }]
    expect(await readAnswers(terminal, questions)).toEqual([' pässword ', 'next', ''])
  })
})
