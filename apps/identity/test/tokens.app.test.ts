import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Decision } from '@olytix/proto'
import { Harness } from './harness.js'

let identity: Harness

beforeAll(async () => {
  identity = await Harness.start()
})

afterAll(() => identity.end())

describe('signing in', () => {
  test('gives the documented pair, which is who the user is', async () => {
    const pair = await identity.signIn()
    expect(pair).toEqual({
      accessToken: expect.stringMatching(/^eyJ/),
      expiresIn: 3600,
      refreshToken: expect.stringMatching(/^refresh_/),
    })
    const answer = await identity.authorize({
      credential: pair.accessToken,
      requiredScopes: ['admin'],
    })
    expect(answer).toMatchObject({
      decision: Decision.DECISION_ALLOW,
      principal: { email: 'Admin@Example.com' },
    })
    const next = await identity.refresh(pair.refreshToken)
    expect(await identity.refresh(pair.refreshToken)).toEqual(next)
  })
})
