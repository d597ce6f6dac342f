import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { writeProfile } from './stack-files.js'

let folder: string
let file: string

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'olytix-profile-'))
  file = path.join(folder, 'profile.json')
})

afterEach(() => rm(folder, { recursive: true, force: true }))

async function profile(): Promise<unknown> {
  return JSON.parse(await readFile(file, 'utf8'))
}

test('a start renews address and key of the profile and leaves a login in it alone', async () => {
  const session = { refresh_token: 'refresh_x' }
  await writeFile(file, JSON.stringify({ url: 'http://localhost:1', api_key: 'old', session }))
  await writeProfile(folder, 'http://localhost:2', 'new')
  expect(await profile()).toEqual({ url: 'http://localhost:2', api_key: 'new', session })
  expect((await stat(file)).mode & 0o777).toBe(0o600)
})

test('a damaged profile is replaced', async () => {
  await writeFile(file, '{"url":')
  await writeProfile(folder, 'http://localhost:2', 'new')
  expect(await profile()).toEqual({ url: 'http://localhost:2', api_key: 'new' })
})
