import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { openStateDir } from './state-dir.js'

let parent: string

beforeEach(async () => {
  parent = await mkdtemp(path.join(tmpdir(), 'olytix-state-'))
})

afterEach(() => rm(parent, { recursive: true, force: true }))

test('a new state folder is closed to others', async () => {
  const folder = path.join(parent, 'a/b')
  await openStateDir(folder)
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
})

test('an earlier one that was opened is closed again', async () => {
  await writeFile(path.join(parent, 'secrets.json'), '{}')
  await chmod(parent, 0o755)
  await openStateDir(parent)
  expect((await stat(parent)).mode & 0o777).toBe(0o700)
})

test('a folder that holds something else is refused and left as it is', async () => {
  await mkdir(path.join(parent, 'photos'))
  await chmod(parent, 0o755)
  await expect(openStateDir(parent)).rejects.toThrow('it holds something else')
  expect((await stat(parent)).mode & 0o777).toBe(0o755)
})

test('a path that is no folder is refused with the variable that changes it', async () => {
  const file = path.join(parent, 'file')
  await writeFile(file, '')
  await expect(openStateDir(file)).rejects.toThrow('OLYTIX_STATE_DIR')
})
