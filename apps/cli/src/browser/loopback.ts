import { timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'

/** What the browser brought back: a one-time code, or the name of an error. */
export type Redirect = { readonly code: string } | { readonly error: string }

const PATH = '/callback'

/** Nobody else's page may frame, script or keep what is answered here. */
const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  connection: 'close',
} as const

/**
 * RFC 8252 §7.3: a port of this machine's loopback address, open for the time of one sign-in, where the browser
 * brings the one-time code. Only the redirect that carries our state counts; whatever else asks is turned away.
 */
export class Loopback {
  private waiting: ((redirect: Redirect) => void) | undefined

  private constructor(
    private readonly server: Server,
    private readonly state: string,
    readonly redirectUri: string,
  ) {}

  static async open(state: string): Promise<Loopback> {
    const server = createServer()
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', resolve)
    })
    const address = server.address()
    if (typeof address !== 'object' || address === null) throw new Error('listens nowhere')
    const uri = `http://127.0.0.1:${String(address.port)}${PATH}`
    const loopback = new Loopback(server, state, uri)
    server.on('request', (request, response) => {
      loopback.answer(request, response)
    })
    return loopback
  }

  /** The first redirect with our state; `undefined` when none comes in time. */
  redirect(timeoutMs: number): Promise<Redirect | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        resolve(undefined)
      }, timeoutMs)
      this.waiting = (redirect) => {
        clearTimeout(timer)
        resolve(redirect)
      }
    })
  }

  /**
   * The answer to the redirect still arrives, since it was given before anybody heard of it. Browsers open connections
   * in advance and never use them: those count as busy, and would keep the process.
   */
  close(): void {
    this.server.close()
    this.server.closeAllConnections()
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', this.redirectUri)
    const redirect = url.pathname === PATH ? this.redirectIn(url.searchParams) : undefined
    if (request.method !== 'GET' || !redirect) {
      response.writeHead(400, HEADERS)
      response.end(page('This address belongs to another sign-in', 'Nothing was done.'))
      return
    }
    response.once('close', () => {
      this.waiting?.(redirect)
    })
    response.writeHead(200, HEADERS)
    response.end(
      'error' in redirect
        ? page('Not signed in', 'The terminal says why. This window can be closed.')
        : page('Back to the terminal', 'The sign-in goes on there. This window can be closed.'),
    )
  }

  private redirectIn(search: URLSearchParams): Redirect | undefined {
    if (!isEqual(search.get('state') ?? '', this.state)) return undefined
    const [code, error] = [search.get('code'), search.get('error')]
    if (error !== null) return { error }
    return code === null || code === '' ? undefined : { code }
  }
}

function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/** Both texts are ours: nothing of the request stands on the page. */
function page(title: string, text: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title} - Olytix Core</title><h1>${title}</h1><p>${text}</p></html>`
}
