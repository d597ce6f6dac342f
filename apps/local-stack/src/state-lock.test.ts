import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { lockStateDir } from './state-lock.js'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'olytix-lock-'))
})

afterEach(() => rm(folder, { recursive: true, force: true }))

test('of many that want a folder at once exactly one gets it', async () => {
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => lockStateDir(folder)))
  const refusals = results
    .filter((each) => each.status === 'rejected')
    .map(({ reason }) => String(reason))
  expect(refusals).toHaveLength(7)
  for (const refusal of refusals) expect(refusal).toContain('A stack runs already')
  expect(await readdir(folder)).toEqual(['start.lock'])
})

test('a released folder is free, and was not left behind', async () => {
  await (await lockStateDir(folder)).release()
  expect((await lockStateDir(folder)).wasLeftBehind).toBe(false)
})

test.each([
  ['a process that is gone', { pid: 2 ** 22 + 1, bornAt: '1' }],
  ['an earlier process with the same id', { pid: process.pid, bornAt: '1' }],
  ['nobody we can read', 'garbage'],
])('the lock of %s does not count', async (_who, holder) => {
  const text = typeof holder === 'string' ? holder : JSON.stringify(holder)
  await writeFile(path.join(folder, 'start.lock'), text)
  expect((await lockStateDir(folder)).wasLeftBehind).toBe(true)
})
