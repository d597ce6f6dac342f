import { verify } from '@node-rs/argon2'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { sql } from '@olytix/postgres'
import { z } from 'zod'
import { ADMIN_EMAIL, ADMIN_KEY, ADMIN_PASSWORD, Harness } from './harness.js'

let identity: Harness

beforeEach(async () => {
  identity = await Harness.create()
})

afterEach(() => identity.end())

describe('the first admin', () => {
  test('is made once, with the configured address, password and key', async () => {
    await identity.startAnother()
    const [user, ...others] = await users()
    expect(others).toEqual([])
    expect(user).toMatchObject({
      email: ADMIN_EMAIL,
      email_canonical: 'admin@example.com',
      roles: ['admin'],
    })
    expect(user?.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    expect(await verify(user?.password_hash ?? '', ADMIN_PASSWORD)).toBe(true)
    expect(await identity.authorize({ credential: ADMIN_KEY })).toMatchObject({
      decision: 'DECISION_ALLOW',
      scopes: ['read', 'write', 'admin'],
      roles: ['admin'],
    })
    expect(await events()).toEqual(['user_created', 'key_created'])
  })

  test('stays as it is when the settings change', async () => {
    await identity.startAnother()
    const before = await users()
    await identity.stop()
    await identity.startAnother({
      OLYTIX_BOOTSTRAP__ADMIN_EMAIL: 'other@example.com',
      OLYTIX_BOOTSTRAP__ADMIN_PASSWORD: 'another password altogether',
    })
    expect(await users()).toEqual(before)
  })

  test('is one, however many processes start at once', async () => {
    await Promise.all(Array.from({ length: 4 }, () => identity.startAnother()))
    expect(await users()).toHaveLength(1)
    expect(await events()).toEqual(['user_created', 'key_created'])
  })

  test('is asked for in the log when nothing describes it, and the service runs', async () => {
    await identity.startAnother({
      OLYTIX_BOOTSTRAP__ADMIN_EMAIL: '',
      OLYTIX_BOOTSTRAP__ADMIN_PASSWORD: '',
      OLYTIX_BOOTSTRAP__ADMIN_API_KEY: '',
    })
    expect(identity.logged()).toMatch(/no admin yet.*OLYTIX_BOOTSTRAP__ADMIN_EMAIL/)
    expect((await identity.authorize({ credential: ADMIN_KEY })).denialReason).toBe(
      'DENIAL_REASON_UNKNOWN_CREDENTIAL',
    )
  })
})

function users(): Promise<
  { email: string; email_canonical: string; password_hash: string | null; roles: string[] }[]
> {
  return identity.owner.many(
    z.object({
      email: z.string(),
      email_canonical: z.string(),
      password_hash: z.string().nullable(),
      roles: z.array(z.string()),
    }),
    sql`
      select email, email_canonical, password_hash,
        array(select role_name from user_roles where user_id = users.id) as roles
      from users`,
  )
}

async function events(): Promise<string[]> {
  const rows = await identity.owner.many(
    z.object({ event_type: z.string() }),
    sql`select event_type from audit_events order by id`,
  )
  return rows.map((row) => row.event_type)
}
