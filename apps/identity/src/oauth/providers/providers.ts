import { AppError } from '@olytix/errors'
import type { ProviderSettings } from '../provider-settings.js'
import { OidcProvider } from './oidc.js'
import { PlainOAuthProvider } from './plain-oauth.js'
import type {
  Provider,
  ProviderContext,
  ProviderProfile,
  SignInReply,
  SignInRequest,
} from './provider.js'
import { toRefusal } from './provider-errors.js'
import { createProviderFetch, type FetchRules } from './provider-fetch.js'

const REQUEST_WITHIN_MS = 5000

export interface ProvidersOptions {
  readonly providers: readonly ProviderSettings[]
  readonly now: () => Date
  readonly allowPrivateAddresses: boolean
  /** For tests: the longest that one request may take, and how names are resolved. */
  readonly fetch?: Partial<Pick<FetchRules, 'timeoutMs' | 'resolve'>>
}

/** The providers of the project file, by name. Nothing is asked of a provider before somebody signs in. */
export class Providers {
  private readonly entries: ReadonlyMap<string, { settings: ProviderSettings; provider: Provider }>

  constructor(options: ProvidersOptions) {
    const context: ProviderContext = {
      now: options.now,
      allowPrivateAddresses: options.allowPrivateAddresses,
      fetchWithin: (totalMs) => fetchWithin(totalMs, options),
    }
    this.entries = new Map(
      options.providers.map((settings) => [
        settings.name,
        { settings, provider: providerOf(settings, context) },
      ]),
    )
  }

  /** In the order of the project file. */
  list(): readonly { readonly name: string; readonly displayName: string }[] {
    return [...this.entries.values()].map(({ settings: { name, displayName } }) => ({
      name,
      displayName,
    }))
  }

  /** @throws AppError NOT_FOUND */
  settings(name: string): ProviderSettings {
    return this.entry(name).settings
  }

  /**
   * Where a person is sent to sign in. Metadata is up to 60 s old.
   * @throws AppError NOT_FOUND; UNAVAILABLE when the provider gives no usable answer
   */
  async authorizationUrl(name: string, request: SignInRequest): Promise<URL> {
    const { provider } = this.entry(name)
    return answered(name, provider.authorizationUrl(request))
  }

  /**
   * Who came back, once everything that can be checked is checked. Takes up to 8 s.
   * @throws AppError NOT_FOUND; UNAVAILABLE when the provider gives no usable answer; UNAUTHORIZED when it refuses or
   * is not to be believed. Causes are sentences without tokens.
   */
  async finish(name: string, reply: SignInReply): Promise<ProviderProfile> {
    const { provider } = this.entry(name)
    return answered(name, provider.finish(reply))
  }

  private entry(name: string): { settings: ProviderSettings; provider: Provider } {
    const entry = this.entries.get(name)
    if (entry) return entry
    const known = [...this.entries.keys()].join(', ')
    const hint = known === '' ? 'none is configured' : `there are ${known}`
    throw new AppError('NOT_FOUND', `There is no such sign-in provider; ${hint}`)
  }
}

async function answered<T>(name: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw toRefusal(name, error)
  }
}

function providerOf(settings: ProviderSettings, context: ProviderContext): Provider {
  const { protocol } = settings
  return protocol.kind === 'oidc'
    ? new OidcProvider(settings, protocol, context)
    : new PlainOAuthProvider(settings, protocol, context)
}

function fetchWithin(totalMs: number, options: ProvidersOptions) {
  const end = performance.now() + totalMs
  const longest = options.fetch?.timeoutMs ?? REQUEST_WITHIN_MS
  return (...call: Parameters<ReturnType<typeof createProviderFetch>>): Promise<Response> => {
    const timeoutMs = Math.min(longest, end - performance.now())
    const { allowPrivateAddresses } = options
    return createProviderFetch({ allowPrivateAddresses, ...options.fetch, timeoutMs })(...call)
  }
}
