import path from 'node:path'
import { expect, test } from '@jest/globals'
import { databaseUrls } from './databases.js'
import { makeSecrets } from './secrets.js'
import { identityEnvironment, queryApiEnvironment } from './service-environment.js'
import { readSettings } from './settings.js'

const secrets = makeSecrets()
const databases = databaseUrls('postgres://postgres:secret@127.0.0.1:1/postgres', secrets)
const environments = (environment: NodeJS.ProcessEnv) => {
  const settings = readSettings(environment, '/somewhere')
  return {
    identity: identityEnvironment(settings, secrets, databases.identity),
    queryApi: queryApiEnvironment(settings, secrets, { identityAddress: '127.0.0.1:1', databases }),
  }
}

test('only identity gets the key that seals signing keys, only query-api the key of masks', () => {
  const { identity, queryApi } = environments({
    OLYTIX_SECURITY__MASTER_KEY: 'a'.repeat(32),
    OLYTIX_MASKING__KEY: 'b'.repeat(32),
  })
  const keys = ['OLYTIX_SECURITY__MASTER_KEY', 'OLYTIX_MASKING__KEY']
  expect(keys.filter((key) => key in identity)).toEqual(['OLYTIX_SECURITY__MASTER_KEY'])
  expect(keys.filter((key) => key in queryApi)).toEqual(['OLYTIX_MASKING__KEY'])
  expect(queryApi['OLYTIX_MASKING__KEY']).toBe(secrets.maskingKey)
})

test('both services read the same project, by its absolute path', () => {
  const { identity, queryApi } = environments({ OLYTIX_PROJECT_PATH: 'relative' })
  expect(identity['OLYTIX_PROJECT_PATH']).toBe(path.resolve('relative'))
  expect(queryApi['OLYTIX_PROJECT_PATH']).toBe(path.resolve('relative'))
})

test('what the launcher decides is not handed on from its own environment', () => {
  const { identity, queryApi } = environments({
    OLYTIX_POSTGRES__URL: 'postgres://superuser:secret@db/postgres',
    OLYTIX_BOOTSTRAP__ADMIN_PASSWORD: 'a password of twelve',
  })
  expect(identity['OLYTIX_BOOTSTRAP__ADMIN_PASSWORD']).toBe(secrets.adminPassword)
  expect(Object.keys(queryApi).filter((key) => /POSTGRES|BOOTSTRAP/.test(key))).toEqual([])
})
