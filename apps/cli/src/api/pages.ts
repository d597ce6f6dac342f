import type { z } from 'zod'
import { call, type Endpoint, type Search } from './transport.js'

interface Page {
  readonly next_page_token?: string | null | undefined
}

interface ListRequest {
  readonly path: string
  readonly search?: Search
}

/** Every page of a list, one request each, as long as the reader goes on. Throws what `call` throws. */
export async function* pages<P extends Page>(
  endpoint: Endpoint,
  { path, search = {} }: ListRequest,
  schema: z.ZodType<P>,
): AsyncGenerator<P> {
  let token: string | null | undefined
  do {
    const more = token ? { page_token: token } : {}
    const page = await call(
      endpoint,
      { method: 'GET', path, search: { ...search, ...more } },
      schema,
    )
    yield page
    token = page.next_page_token
  } while (token)
}
