import { expect } from '@jest/globals'
import type { AlgorithmStack } from './algorithm-stack.js'
import { UNAUTHORIZED } from './errors.js'
import { ask } from './http.js'
import { readJwt } from './jwt.js'

const REFUSED = { status: 401, text: UNAUTHORIZED }

/** Rows of the list R that must hold whatever signs access tokens. */
export const REFRESH_RULES: readonly (readonly [
  name: string,
  holds: (stack: AlgorithmStack) => Promise<void>,
])[] = [
  [
    '2 used 50 times at once gives one refresh token and one set of claims',
    async (stack) => {
      const { refresh_token } = await stack.signIn()
      const pairs = await Promise.all(
        Array.from({ length: 50 }, () => stack.refresh(refresh_token)),
      )
      expect(new Set(pairs.map((pair) => pair.refresh_token)).size).toBe(1)
      const claims = pairs.map(({ access_token }) => JSON.stringify(readJwt(access_token).claims))
      expect(new Set(claims).size).toBe(1)
    },
  ],
  [
    '3 whose answer was lost gets the same pair again',
    async (stack) => {
      const { refresh_token } = await stack.signIn()
      const [first, again] = [
        await stack.refresh(refresh_token),
        await stack.refresh(refresh_token),
      ]
      expect(again.refresh_token).toBe(first.refresh_token)
      expect(readJwt(again.access_token).claims).toEqual(readJwt(first.access_token).claims)
    },
  ],
  [
    '4 that is older than the last one ends the session',
    async (stack) => {
      const first = await stack.signIn()
      const second = await stack.refresh(first.refresh_token)
      const third = await stack.refresh(second.refresh_token)
      expect(await stack.askToRefresh(first.refresh_token)).toMatchObject(REFUSED)
      expect(await stack.askToRefresh(third.refresh_token)).toMatchObject(REFUSED)
    },
  ],
  [
    '6 that was tampered with is refused, and the session goes on',
    async (stack) => {
      const { refresh_token } = await stack.signIn()
      const last = refresh_token.endsWith('A') ? 'B' : 'A'
      for (const forged of [refresh_token.slice(0, -1), refresh_token.slice(0, -1) + last]) {
        expect(await stack.askToRefresh(forged)).toMatchObject(REFUSED)
      }
      await stack.refresh(refresh_token)
    },
  ],
  [
    '8 is no access token',
    async (stack) => {
      const { access_token } = await stack.signIn()
      expect(await stack.askToRefresh(access_token)).toMatchObject(REFUSED)
    },
  ],
  [
    '13 is worth nothing after logging out',
    async (stack) => {
      const { refresh_token } = await stack.signIn()
      const next = await stack.refresh(refresh_token)
      const body = { refresh_token }
      const { server } = stack
      await ask('/api/v1/auth/logout', { method: 'POST', body, server })
      expect(await stack.askToRefresh(next.refresh_token)).toMatchObject(REFUSED)
    },
  ],
]
