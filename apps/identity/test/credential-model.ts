/** A small reference model of what becomes of keys and sessions of one user. Times in milliseconds. */

interface ModelKey {
  readonly isRevoked: boolean
  readonly isDisabled: boolean
  /** End of the overlap after it was replaced. */
  readonly outAt: number | null
  readonly from: string | null
  readonly isReplaced: boolean
}

interface ModelSession {
  readonly isOver: boolean
  readonly counter: number
  readonly refreshedAt: number
}

export interface ModelState {
  readonly now: number
  readonly isUserDisabled: boolean
  readonly keys: Readonly<Record<string, ModelKey>>
  readonly sessions: Readonly<Record<string, ModelSession>>
}

export const EMPTY: ModelState = { now: 0, isUserDisabled: false, keys: {}, sessions: {} }

/** One call; `made` names what it makes, if it succeeds. */
export type Action =
  | { readonly kind: 'sign in' | 'disable user' | 'enable user'; readonly made: string }
  | { readonly kind: 'create key'; readonly session: string; readonly made: string }
  | {
      readonly kind: 'rotate key'
      readonly key: string
      readonly overlapMs: number
      readonly made: string
    }
  | {
      readonly kind: 'revoke key' | 'disable key' | 'enable key' | 'use key'
      readonly key: string
    }
  | { readonly kind: 'sign out'; readonly session: string }
  | { readonly kind: 'use token'; readonly session: string }
  | { readonly kind: 'refresh'; readonly session: string; readonly counter: number }

/** `done`, `refused`, or the counter of the refresh token that came back. */
export type Outcome = 'done' | 'refused' | number

type Step = readonly [ModelState, Outcome]

const RETRY_MS = 10_000

/** What one call does when nothing else happens meanwhile. */
export function act(state: ModelState, action: Action): Step {
  switch (action.kind) {
    case 'sign in':
      return signIn(state, action.made)
    case 'disable user':
      return [endSessions({ ...state, isUserDisabled: true }), 'done']
    case 'enable user':
      return [{ ...state, isUserDisabled: false }, 'done']
    case 'rotate key':
      return rotate(state, action)
    case 'refresh':
      return refresh(state, action.session, action.counter)
    case 'create key':
    case 'sign out':
    case 'use token':
      return actOnSession(state, action)
    default:
      return actOnKey(state, action.kind, action.key)
  }
}

export function isKeyLive({ now, isUserDisabled, keys }: ModelState, name: string): boolean {
  const key = keys[name]
  if (!key || key.isRevoked || key.isDisabled || isUserDisabled) return false
  return key.outAt === null || now < key.outAt
}

export function isTokenLive({ sessions }: ModelState, name: string): boolean {
  return sessions[name]?.isOver === false
}

/** Every state in which calls made at the same moment may leave us, if these are their outcomes. */
export function reachable(
  states: readonly ModelState[],
  calls: readonly { readonly action: Action; readonly outcome: Outcome }[],
): ModelState[] {
  const after = states.flatMap((state) =>
    permutations(calls).flatMap((order) => {
      let current = state
      for (const { action, outcome } of order) {
        const [next, expected] = act(current, action)
        if (expected !== outcome) return []
        current = next
      }
      return [current]
    }),
  )
  return [...new Map(after.map((state) => [JSON.stringify(state), state])).values()]
}

function signIn(state: ModelState, made: string): Step {
  if (state.isUserDisabled) return [state, 'refused']
  const session = { isOver: false, counter: 0, refreshedAt: state.now }
  return [{ ...state, sessions: { ...state.sessions, [made]: session } }, 'done']
}

function rotate(
  state: ModelState,
  { key, overlapMs, made }: Extract<Action, { kind: 'rotate key' }>,
): Step {
  const old = state.keys[key]
  if (!old || old.isRevoked || old.isDisabled || old.isReplaced) return [state, 'refused']
  const end = overlapMs === 0 ? { isRevoked: true } : { outAt: state.now + overlapMs }
  const next = withKey(withoutPredecessor(state, old), key, { ...old, ...end, isReplaced: true })
  return [withKey(next, made, newKey(key)), 'done']
}

/** At most two work at a time. One whose overlap is over has ended already. */
function withoutPredecessor(state: ModelState, { from }: ModelKey): ModelState {
  const before = from === null ? undefined : state.keys[from]
  if (from === null || !before || (before.outAt ?? Infinity) <= state.now) return state
  return withKey(state, from, { ...before, isRevoked: true })
}

function refresh(state: ModelState, name: string, counter: number): Step {
  const session = state.sessions[name]
  if (!session || session.isOver || counter > session.counter) return [state, 'refused']
  if (counter === session.counter) {
    const next = { counter: counter + 1, refreshedAt: state.now }
    return [withSession(state, name, next), next.counter]
  }
  const isRetry = counter === session.counter - 1 && state.now - session.refreshedAt <= RETRY_MS
  return isRetry
    ? [state, session.counter]
    : [withSession(state, name, { isOver: true }), 'refused']
}

function actOnSession(
  state: ModelState,
  action: Extract<Action, { kind: 'create key' | 'sign out' | 'use token' }>,
): Step {
  if (action.kind === 'sign out') {
    return [withSession(state, action.session, { isOver: true }), 'done']
  }
  if (!isTokenLive(state, action.session)) return [state, 'refused']
  const isUse = action.kind !== 'create key'
  return [isUse ? state : withKey(state, action.made, newKey(null)), 'done']
}

function actOnKey(
  state: ModelState,
  kind: 'revoke key' | 'disable key' | 'enable key' | 'use key',
  name: string,
): Step {
  const key = state.keys[name]
  if (!key) return [state, 'refused']
  if (kind === 'use key') return [state, isKeyLive(state, name) ? 'done' : 'refused']
  if (kind === 'revoke key') return [withKey(state, name, { ...key, isRevoked: true }), 'done']
  if (key.isRevoked) return [state, 'refused']
  return [withKey(state, name, { ...key, isDisabled: kind === 'disable key' }), 'done']
}

function newKey(from: string | null): ModelKey {
  return { isRevoked: false, isDisabled: false, outAt: null, from, isReplaced: false }
}

function withKey(state: ModelState, name: string, key: ModelKey): ModelState {
  return { ...state, keys: { ...state.keys, [name]: key } }
}

function withSession(state: ModelState, name: string, change: Partial<ModelSession>): ModelState {
  const session = state.sessions[name]
  if (!session) return state
  return { ...state, sessions: { ...state.sessions, [name]: { ...session, ...change } } }
}

function endSessions(state: ModelState): ModelState {
  return Object.keys(state.sessions).reduce(
    (next, name) => withSession(next, name, { isOver: true }),
    state,
  )
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((item, index) =>
    permutations(items.filter((_, other) => other !== index)).map((rest) => [item, ...rest]),
  )
}
