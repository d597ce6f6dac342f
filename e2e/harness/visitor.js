/** A person's browser, as far as signing in needs one: redirects, cookies by host and path, one login form. */
export class Visitor {
  /** @type {{ host: string, path: string, name: string, value: string }[]} */
  cookies = []

  /**
   * One request; redirects are not followed.
   * @param {string | URL} url
   * @param {RequestInit} [init]
   */
  async visit(url, init = {}) {
    const { hostname, pathname } = new URL(url)
    const cookie = this.cookies
      .filter(({ host, path }) => host === hostname && pathname.startsWith(path))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ')
    const headers = { ...init.headers, ...(cookie ? { cookie } : {}) }
    const answer = await fetch(url, { ...init, headers, redirect: 'manual' })
    for (const line of answer.headers.getSetCookie()) this.#keep(hostname, line)
    return answer
  }

  /**
   * Opens an address of ours and signs in at the provider as `account`.
   * @param {string | URL} start
   * @param {string} account
   * @returns {Promise<URL>} where the provider sends the browser back to; not visited yet
   */
  async signIn(start, account) {
    const first = await this.visit(start)
    const asked = locationOf(first, start)
    if (!asked) throw new Error(`not sent to a provider: ${String(first.status)}`)
    return this.#throughProvider(asked, new URLSearchParams({ prompt: 'login', login: account }))
  }

  /**
   * Opens an address of ours and turns back at the provider's login page.
   * @param {string | URL} start
   */
  async cancel(start) {
    const asked = locationOf(await this.visit(start), start)
    if (!asked) throw new Error('not sent to a provider')
    return this.#throughProvider(asked, undefined)
  }

  /**
   * @param {URL} asked
   * @param {URLSearchParams | undefined} login
   */
  async #throughProvider(asked, login) {
    let url = asked
    let answer = await this.visit(url)
    for (let hops = 0; hops < 10; hops++) {
      const next = locationOf(answer, url)
      if (next && next.origin !== asked.origin) return next
      if (next) {
        url = next
        answer = await this.visit(url)
      } else if (answer.status === 200 && url.pathname.startsWith('/interaction/')) {
        url = login ? url : new URL(`${url.pathname}/abort`, url)
        answer = await this.visit(url, login ? { method: 'POST', body: login } : {})
      } else {
        break
      }
    }
    throw new Error(`the provider answers ${String(answer.status)}: ${await answer.text()}`)
  }

  /**
   * @param {string} host
   * @param {string} line of Set-Cookie
   */
  #keep(host, line) {
    const [pair = '', ...attributes] = line.split('; ')
    const name = pair.slice(0, pair.indexOf('='))
    const value = pair.slice(pair.indexOf('=') + 1)
    const path = attributes.find((each) => /^path=/i.test(each))?.slice(5) ?? '/'
    this.cookies = this.cookies.filter(
      (one) => one.host !== host || one.name !== name || one.path !== path,
    )
    if (value !== '') this.cookies.push({ host, path, name, value })
  }
}

/**
 * @param {Response} answer
 * @param {string | URL} from
 */
function locationOf(answer, from) {
  const location = answer.headers.get('location')
  return location === null ? undefined : new URL(location, from)
}
