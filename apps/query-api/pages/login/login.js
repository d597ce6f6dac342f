/**
 * The sign-in page. Tokens are kept in memory alone: no storage, no cookie, no address. While the browser is at a
 * provider, the tab's session storage holds the state and the PKCE verifier, which are worth nothing afterwards.
 */

/** @typedef {{ name: string, display_name: string, authorize_url: string }} Provider */
/** @typedef {{ access_token: string, refresh_token: string, expires_in: number }} TokenPair */
/** @typedef {{ email?: string | null, name: string, roles: string[], scopes: string[] }} Me */

/** Where page and API lie; behind a proxy that may be below a path. */
const BASE = new URL('.', location.href)
const FLOW = 'olytix-sign-in'

const CANNOT_SIGN_IN = 'E-mail address or password is wrong, or the account cannot sign in.'
const FAILED = 'The sign-in failed. Try again.'
const SILENT = 'The server does not answer. Try again in a moment.'
/** What our own callback says (RFC 6749 section 4.1.2.1); any other text is not repeated. */
const PROVIDER_PROBLEMS = new Map([
  [
    'access_denied',
    'The sign-in was refused: it was cancelled, or this account may not sign in here. An administrator finds the reason in the audit trail.',
  ],
  ['temporarily_unavailable', 'The provider does not answer. Try again in a minute.'],
])

/** A text for the person. */
class Problem extends Error {}

/** @type {TokenPair | undefined} */
let tokens
/** @type {ReturnType<typeof setTimeout> | undefined} */
let tokenEnd

/** @param {string} id */
function byId(id) {
  const element = document.getElementById(id)
  if (!element) throw new Error(`the page has no ${id}`)
  return element
}

/** @param {string} id */
function inputById(id) {
  const element = byId(id)
  if (!(element instanceof HTMLInputElement)) throw new Error(`${id} is no input`)
  return element
}

/**
 * @param {string} path below api/v1/auth
 * @param {RequestInit} [init]
 */
async function call(path, init = {}) {
  const address = new URL(`api/v1/auth/${path}`, BASE)
  const answer = await fetch(address, { ...init, credentials: 'omit', redirect: 'error' }).catch(
    () => {
      throw new Problem(SILENT)
    },
  )
  if (answer.ok) return answer
  if (answer.status === 429) {
    const seconds = Number(answer.headers.get('retry-after') ?? '60')
    throw new Problem(`Too many attempts. Try again in ${String(seconds)} seconds.`)
  }
  if (answer.status >= 500) throw new Problem(SILENT)
  throw new Problem(path === 'token' ? CANNOT_SIGN_IN : FAILED)
}

/**
 * @param {string} path
 * @param {Record<string, string>} body
 */
function post(path, body) {
  const headers = { 'content-type': 'application/json' }
  return call(path, { method: 'POST', headers, body: JSON.stringify(body) })
}

/** @param {Uint8Array} bytes */
function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

function aSecret() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)))
}

/** @param {Provider} provider */
async function goTo(provider) {
  const flow = { state: aSecret(), verifier: aSecret() }
  sessionStorage.setItem(FLOW, JSON.stringify(flow))
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(flow.verifier))
  const address = new URL(provider.authorize_url)
  address.search = new URLSearchParams({
    redirect_uri: new URL('login', BASE).href,
    state: flow.state,
    code_challenge: base64url(new Uint8Array(digest)),
    code_challenge_method: 'S256',
  }).toString()
  location.assign(address)
}

/** What this tab began, once. @returns {{ state?: unknown, verifier?: unknown }} */
function takeFlow() {
  const kept = sessionStorage.getItem(FLOW)
  sessionStorage.removeItem(FLOW)
  return kept === null ? {} : JSON.parse(kept)
}

/** Goes on with what the callback has sent here; the code leaves address and history before anything else. */
async function arrive() {
  const search = new URLSearchParams(location.search)
  history.replaceState(null, '', location.pathname)
  const flow = takeFlow()
  const state = search.get('state')
  if (state === null) return
  if (state !== flow.state || typeof flow.verifier !== 'string') {
    throw new Problem('This sign-in was not begun in this window. Start it again here.')
  }
  const error = search.get('error')
  if (error !== null) throw new Problem(PROVIDER_PROBLEMS.get(error) ?? FAILED)
  const body = { code: search.get('code') ?? '', code_verifier: flow.verifier }
  await enter(await (await post('oauth/token', body)).json())
}

/** @param {TokenPair} pair */
async function enter(pair) {
  const headers = { authorization: `Bearer ${pair.access_token}` }
  /** @type {Me} */
  const me = await (await call('me', { headers })).json()
  tokens = pair
  const ms = pair.expires_in * 1000
  tokenEnd = setTimeout(() => {
    leave('The access token has ended. Sign in again.')
  }, ms)
  const texts = {
    'me-email': me.email ?? '',
    'me-name': me.name,
    'me-roles': me.roles.join(', '),
    'me-scopes': me.scopes.join(', '),
    'token-end': new Date(Date.now() + ms).toLocaleString(),
    token: pair.access_token,
    example: `curl ${new URL('api/v1/query/meta/metrics', BASE).href} \\\n  -H "Authorization: Bearer $TOKEN"`,
  }
  for (const [id, text] of Object.entries(texts)) byId(id).textContent = text
  view('signed-in', 'You are signed in')
}

/** @param {string} news */
function leave(news) {
  clearTimeout(tokenEnd)
  tokens = undefined
  for (const id of ['me-email', 'me-name', 'me-roles', 'me-scopes', 'token-end', 'token']) {
    byId(id).textContent = ''
  }
  view('sign-in', 'Sign in to Olytix Core')
  byId('news').textContent = news
}

/**
 * @param {'sign-in' | 'signed-in'} shown
 * @param {string} title
 */
function view(shown, title) {
  for (const id of ['sign-in', 'signed-in']) byId(id).hidden = id !== shown
  byId('title').textContent = title
  document.title = `${title} - Olytix Core`
  byId('title').focus()
}

/**
 * Runs what a person has asked for: once at a time, its failure told as an alert.
 * @param {() => void | Promise<void>} act
 */
async function run(act) {
  const buttons = document.querySelectorAll('button')
  for (const button of buttons) button.disabled = true
  byId('problem').textContent = ''
  byId('news').textContent = ''
  try {
    await act()
  } catch (error) {
    byId('problem').textContent = error instanceof Problem ? error.message : FAILED
  } finally {
    for (const button of buttons) button.disabled = false
  }
}

async function signInWithPassword() {
  const password = inputById('password')
  const body = { username: inputById('email').value.trim(), password: password.value }
  try {
    await enter(await (await post('token', body)).json())
  } catch (error) {
    password.focus()
    throw error
  } finally {
    password.value = ''
  }
}

async function signOut() {
  if (tokens) await post('logout', { refresh_token: tokens.refresh_token })
  leave('You are signed out. The tokens of this session no longer work.')
}

async function copyToken() {
  if (!tokens) return
  await navigator.clipboard.writeText(tokens.access_token).catch(() => {
    throw new Problem(
      'The browser does not let this page copy. Show the token and copy it by hand.',
    )
  })
  byId('news').textContent = 'The access token is copied.'
}

async function offerProviders() {
  /** @type {{ providers: Provider[] }} */
  const { providers } = await (await call('oauth/providers')).json()
  const [first] = providers
  if (!first) return
  const base = first.authorize_url.slice(0, first.authorize_url.indexOf('api/v1/auth/oauth/'))
  if (base !== BASE.href) {
    // The provider sends the browser back there, to a page that knows nothing of what was begun here.
    const link = document.createElement('a')
    link.href = new URL('login', base).href
    link.textContent = link.href
    note('To sign in with a provider, go to ', link)
  } else if (!isSecureContext) {
    note('Signing in with a provider needs https.')
  } else {
    byId('providers').replaceChildren(...providers.map(buttonOf))
    byId('providers').hidden = false
  }
}

/** @param {(string | Node)[]} parts */
function note(...parts) {
  byId('providers-note').replaceChildren(...parts)
  byId('providers-note').hidden = false
}

/** @param {Provider} provider */
function buttonOf(provider) {
  const button = document.createElement('button')
  button.type = 'button'
  button.textContent = `Continue with ${provider.display_name}`
  button.addEventListener('click', () => run(() => goTo(provider)))
  const item = document.createElement('li')
  item.append(button)
  return item
}

byId('password-form').addEventListener('submit', (event) => {
  event.preventDefault()
  void run(signInWithPassword)
})
byId('sign-out').addEventListener('click', () => run(signOut))
byId('copy').addEventListener('click', () => run(copyToken))

await run(async () => {
  try {
    await arrive()
  } finally {
    if (!tokens) byId('sign-in').hidden = false
  }
})
// Whoever cannot be offered a provider can still use a password.
await offerProviders().catch(() => undefined)
