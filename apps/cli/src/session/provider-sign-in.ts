import { createHash, randomBytes } from 'node:crypto'
import { suggest } from '@olytix/errors'
import { ApiRefusal } from '../api/api-errors.js'
import type { OAuthProvider, TokenPair } from '../api/identity-answers.js'
import type { SignInApi } from '../api/sign-in-api.js'
import { Loopback, type Redirect } from '../browser/loopback.js'
import type { OpenBrowser } from '../browser/open-browser.js'
import { SignInFailed } from './sign-in-failed.js'

export interface ProviderSignIn {
  readonly api: SignInApi
  /** The name of the provider, as it was asked for. */
  readonly provider: string
  readonly openBrowser: OpenBrowser
  /** For the person who waits. */
  readonly note: (text: string) => void
  /** How long the browser may take, in milliseconds. */
  readonly timeoutMs: number
}

/**
 * Signs in at a provider by way of the browser: RFC 8252 with PKCE S256 (RFC 7636) and a state of our own. The code
 * that comes back is worth nothing without the verifier, which never leaves this process but to the server.
 * @throws SignInFailed, ApiRefusal, ServerUnreachable
 */
export async function signInAtProvider(signIn: ProviderSignIn): Promise<TokenPair> {
  const provider = named(signIn.provider, await signIn.api.listProviders())
  const [state, verifier] = [aSecret(), aSecret()]
  const loopback = await Loopback.open(state)
  try {
    const redirect = loopback.redirect(signIn.timeoutMs)
    await show(
      authorizeUrl(provider, { state, verifier, redirectUri: loopback.redirectUri }),
      signIn,
    )
    return await redeem(signIn, codeIn(await redirect, signIn), verifier)
  } finally {
    loopback.close()
  }
}

function named(wanted: string, providers: readonly OAuthProvider[]): OAuthProvider {
  const found = providers.find(({ name }) => name === wanted)
  if (found) return found
  const names = providers.map(({ name }) => name)
  if (names.length === 0) {
    throw new SignInFailed(
      'this server signs nobody in with a provider',
      'With e-mail address and password: olytix-core auth login',
    )
  }
  const near = suggest(wanted, names)
  throw new SignInFailed(
    `there is no provider '${wanted}'${near ? `; did you mean ${near}?` : ''}`,
    `Known are: ${names.join(', ')}`,
  )
}

/** 256 random bits, in characters that fit verifier (RFC 7636 §4.1) and state alike. */
function aSecret(): string {
  return randomBytes(32).toString('base64url')
}

function authorizeUrl(
  provider: OAuthProvider,
  own: { readonly state: string; readonly verifier: string; readonly redirectUri: string },
): URL {
  const url = new URL(provider.authorize_url)
  url.searchParams.set('redirect_uri', own.redirectUri)
  url.searchParams.set('state', own.state)
  url.searchParams.set(
    'code_challenge',
    createHash('sha256').update(own.verifier).digest('base64url'),
  )
  url.searchParams.set('code_challenge_method', 'S256')
  return url
}

/** The address is always written too: the browser may be on another screen, or there may be none. */
async function show(url: URL, { openBrowser, note }: ProviderSignIn): Promise<void> {
  note('Sign in with the browser of this machine:')
  note(url.href)
  if (!(await openBrowser(url))) note('No browser could be opened: open the address by hand.')
}

/** OAuth's names of errors as our own server gives them; what else comes back is not repeated. */
function codeIn(redirect: Redirect | undefined, { provider, timeoutMs }: ProviderSignIn): string {
  if (!redirect) {
    const minutes = Math.ceil(timeoutMs / 60_000)
    throw new SignInFailed(
      `nobody came back from the browser within ${String(minutes)} min`,
      'Run the command again and finish in the browser of the same machine. If the browser shows an error about redirect_uri, security.oauth.redirect_uris must hold http://127.0.0.1/callback.',
      true,
    )
  }
  if ('code' in redirect) return redirect.code
  if (redirect.error === 'access_denied') {
    throw new SignInFailed(
      `${provider} or this server refused the sign-in`,
      'It was cancelled, or the account may not sign in here: an admin finds the reason with `olytix-core auth audit`.',
    )
  }
  if (redirect.error === 'temporarily_unavailable') {
    throw new SignInFailed(`${provider} does not answer the server`, 'Try again in a minute.', true)
  }
  throw new SignInFailed(
    `the sign-in with ${provider} failed`,
    "Try again; if it stays so, an admin finds more in the server's log.",
  )
}

async function redeem({ api }: ProviderSignIn, code: string, verifier: string): Promise<TokenPair> {
  try {
    return await api.redeemCode(code, verifier)
  } catch (error) {
    if (error instanceof ApiRefusal && error.status === 401) {
      error.hint = 'The code from the browser was used or too old. Run the command again.'
    }
    throw error
  }
}
