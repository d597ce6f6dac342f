import { expect, test } from '@jest/globals'
import { renderFields, renderTable } from './table.js'

test('texts stand left and numbers right, without blanks at the end of a line', () => {
  const columns = [{ title: 'region' }, { title: 'revenue', align: 'right' }] as const
  expect(
    renderTable(columns, [
      ['West', '725457.8245'],
      ['South', ''],
    ]),
  ).toBe('region      revenue\n------  -----------\nWest    725457.8245\nSouth\n')
})

test('wide letters and marks that combine do not shift the columns', () => {
  const rows = [
    ['東京', '1'],
    ['e\u0301te\u0301', '2'],
  ]
  expect(renderTable([{ title: 'city' }, { title: 'n' }], rows)).toBe(
    'city  n\n----  -\n東京  1\ne\u0301te\u0301   2\n',
  )
})

test('control characters from the server cannot forge lines or move the cursor', () => {
  expect(renderTable([{ title: 'name' }], [['a\nKey: b\u001b[2J\u202e']])).toBe(
    `name\n${'-'.repeat(28)}\na\\u000aKey: b\\u001b[2J\\u202e\n`,
  )
})

test('fields have their values below each other', () => {
  expect(
    renderFields([
      ['id', 'key_1'],
      ['attribute region', 'West'],
      ['roles', ''],
    ]),
  ).toBe('id:               key_1\nattribute region: West\nroles:\n')
})
