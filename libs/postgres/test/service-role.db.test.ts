import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Database, demandServiceRole, ident, newId, sql, trusted } from '../src/index.js'
import { createTestDatabase, type TestDatabase } from '../src/testing/index.js'

let testDatabase: TestDatabase
let owner: Database
let service: Database
let server: Database

beforeAll(async () => {
  testDatabase = await createTestDatabase()
  owner = new Database({ url: testDatabase.ownerUrl })
  service = new Database({ url: testDatabase.url })
  server = new Database({ url: process.env['OLYTIX_TEST__DATABASE_URL'] ?? '' })
  await owner.execute(sql`create table things ()`)
})

afterAll(async () => {
  await Promise.all([owner.close(), service.close(), server.close()])
  await testDatabase.drop()
})

describe('demandServiceRole', () => {
  test('takes a role that owns nothing and cannot bypass row security', async () => {
    await expect(demandServiceRole(service)).resolves.toBeUndefined()
  })

  test('refuses a superuser and the owner of a table, by name', async () => {
    await expect(demandServiceRole(server)).rejects.toThrow(/is a superuser/)
    await expect(demandServiceRole(owner)).rejects.toThrow(/role test_\w+_owner owns tables/)
  })

  test('refuses a role that may bypass row security, or belongs to the owner', async () => {
    const role = ident(testDatabase.serviceRole)
    await server.execute(sql`alter role ${role} bypassrls`)
    await expect(demandServiceRole(service)).rejects.toThrow(/may bypass row security/)
    await server.execute(sql`alter role ${role} nobypassrls`)
    const ownerRole = ident(new URL(testDatabase.ownerUrl).username)
    await server.execute(sql`grant ${ownerRole} to ${role}`)
    await expect(demandServiceRole(service)).rejects.toThrow(/owns tables/)
    await server.execute(sql`revoke ${ownerRole} from ${role}`)
  })
})

describe('preparedAs', () => {
  test('finds the statement again on the same connection, with other values', async () => {
    const echo = (value: string): Promise<number> =>
      service.execute(sql`select ${value}::text`.preparedAs('echo'))
    expect(await echo('a')).toBe(1)
    expect(await echo("'; drop table things; --")).toBe(1)
    expect(await owner.execute(trusted('select from things'))).toBe(0)
  })
})

describe('newId', () => {
  test('sorts by the millisecond it was made in, and does not repeat', () => {
    const start = Date.parse('2026-11-24T10:00:00.000Z')
    const ids = Array.from({ length: 1000 }, (_, index) => newId('key', new Date(start + index)))
    expect([...ids].sort()).toEqual(ids)
    expect(new Set(Array.from({ length: 1000 }, () => newId('key', new Date(start)))).size).toBe(
      1000,
    )
    expect(ids[0]).toMatch(/^key_[0-9a-z]{21}$/)
  })
})
