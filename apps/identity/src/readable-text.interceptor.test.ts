import { expect, test } from '@jest/globals'
import { textProblems } from './readable-text.interceptor.js'

test.each([
  [{ name: 'a\0' }, ['name']],
  [{ clientIp: '\ud800', scopes: ['read', '\0'] }, ['client_ip', 'scopes[1]']],
  [
    { attributes: { region: { listValue: { values: [{ stringValue: '\0' }] } } } },
    ['attributes.region[0]'],
  ],
  [{ attributes: { 'a\0': {} } }, ['attributes']],
  [{ name: 'ключ 🔑 \ufffd', from: new Date(), count: 1, none: undefined }, []],
])('text that cannot be stored is found in %j', (message, paths) => {
  expect(textProblems(message, '').map(({ path }) => path)).toEqual(paths)
})
