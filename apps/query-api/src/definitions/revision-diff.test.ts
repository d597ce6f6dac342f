import { describe, expect, test } from '@jest/globals'
import type { Definition } from '../project/definitions.js'
import { diffOf } from './revision-diff.js'

const metric = (name: string, text: string, isEdited = false): Definition => ({
  kind: 'metrics',
  name,
  text,
  path: 'metrics/all.yml',
  isEdited,
})

describe('diffOf', () => {
  test('shows made, changed and deleted definitions as a patch tool takes them', () => {
    const before = [metric('kept', 'name: kept\n'), metric('old', 'name: old\ntype: simple\n')]
    const after = [metric('kept', 'name: kept\nfilters: []\n'), metric('made', 'name: made\n')]
    expect(diffOf(before, after)).toEqual([
      {
        kind: 'metrics',
        name: 'kept',
        change: 'updated',
        text: '--- a/metrics/kept\n+++ b/metrics/kept\n@@ -1,1 +1,2 @@\n name: kept\n+filters: []\n',
      },
      {
        kind: 'metrics',
        name: 'made',
        change: 'created',
        text: '--- /dev/null\n+++ b/metrics/made\n@@ -0,0 +1,1 @@\n+name: made\n',
      },
      {
        kind: 'metrics',
        name: 'old',
        change: 'deleted',
        text: '--- a/metrics/old\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-name: old\n-type: simple\n',
      },
    ])
  })

  test('leaves out what says the same and was but edited', () => {
    expect(diffOf([metric('same', 'x\n')], [metric('same', 'x\n', true)])).toEqual([])
  })

  test('of texts that have nothing in common ends soon', () => {
    const text = (mark: string) =>
      Array.from({ length: 20_000 }, (_, at) => `${mark}${String(at)}\n`).join('')
    const [only] = diffOf([metric('big', text('a'))], [metric('big', text('b'))])
    expect(only?.text.slice(0, 70)).toMatch(
      /^--- a\/metrics\/big\n.*\n@@ -1,20000 \+1,20000 @@\n-a0/,
    )
    expect(only?.text.split('\n')).toHaveLength(40_004)
  })
})
