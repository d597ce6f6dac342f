import { describe, expect, test } from '@jest/globals'
import { formatFor } from './accept.js'

const typeFor = (accept: string | undefined): string =>
  formatFor(accept)?.mediaType.split(';')[0] ?? 'application/json'

describe('the format is the one that Accept prefers', () => {
  test.each([
    [undefined, 'application/json'],
    ['*/*', 'application/json'],
    ['application/json, text/plain, */*', 'application/json'],
    ['text/csv', 'text/csv'],
    ['Text/CSV; charset=utf-8', 'text/csv'],
    ['text/*', 'text/csv'],
    ['text/html, */*;q=0.8', 'application/json'],
    ['text/csv, */*', 'text/csv'],
    ['application/x-ndjson, text/csv', 'application/x-ndjson'],
    ['text/csv;q=0.5, application/vnd.apache.arrow.stream', 'application/vnd.apache.arrow.stream'],
    ['application/json;q=0, */*', 'text/csv'],
  ])('%s: %s', (accept, expected) => {
    expect(typeFor(accept)).toBe(expected)
  })

  test.each([
    'text/html',
    'application/xml, image/*',
    'text/csv;q=0',
    'text/csv; escape=maybe',
    '',
  ])('%s is NOT_ACCEPTABLE', (accept) => {
    expect(() => formatFor(accept)).toThrow(expect.objectContaining({ code: 'NOT_ACCEPTABLE' }))
  })
})

describe('CSV', () => {
  const write = async (accept: string, text: string | null, typeOid = 25): Promise<string> => {
    const writer = await formatFor(accept)?.open([{ key: 'x' }], [{ name: 'c0', typeOid }])
    return String(writer?.rows([[text]])).replace(/\r\n$/, '')
  }

  test.each([
    ['=1+1', `"'=1+1"`],
    ['@SUM(A1)', `"'@SUM(A1)"`],
    ['+1 555 0100', `"'+1 555 0100"`],
    ['-2+3', `"'-2+3"`],
    ['\t=1', `"'\t=1"`],
    ['＝1', `"'＝1"`],
    ['-5', '"-5"'],
    ['a=1', '"a=1"'],
    ['say "=1"', '"say ""=1"""'],
    ['', '""'],
    [null, ''],
  ])('for spreadsheets writes %s as %s', async (text, expected) => {
    expect(await write('text/csv; escape=formulas', text)).toBe(expected)
  })

  test('for spreadsheets leaves negative numbers alone', async () => {
    expect(await write('text/csv; escape=formulas', '-5.10', 1700)).toBe('-5.10')
  })

  test.each(['=1+1', '-5', 'a"b', 'a\r\nb', 'a,b', ' ', '\t', 'x'.repeat(1_000_000)])(
    'otherwise changes no text: %#',
    async (text) => {
      const cell = await write('text/csv', text)
      expect(cell.slice(1, -1).replaceAll('""', '"')).toBe(text)
      expect(cell.slice(1, -1).replaceAll('""', '')).not.toContain('"')
    },
  )
})
