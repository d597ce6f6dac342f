import type { z } from 'zod'
import { pages } from './pages.js'
import type { Endpoint } from './transport.js'

/** Which events of a trail. */
export interface EventQuery {
  readonly type?: string | undefined
  readonly subject?: string | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
}

/** Newest first. */
export interface NewestEvents<E> {
  readonly events: readonly E[]
  readonly hasMore: boolean
}

interface Trail<E> {
  readonly path: string
  readonly page: z.ZodType<{ events: E[]; next_page_token?: string | null | undefined }>
}

const LARGEST_PAGE = 1000

/** The newest `limit` events that fit, and whether there are more. Throws what `call` throws. */
export async function newestEvents<E>(
  endpoint: Endpoint,
  { path, page: shape }: Trail<E>,
  query: EventQuery,
  limit: number,
): Promise<NewestEvents<E>> {
  const search = { ...query, page_size: String(Math.min(limit, LARGEST_PAGE)) }
  const events: E[] = []
  for await (const page of pages(endpoint, { path, search }, shape)) {
    events.push(...page.events)
    const hasMore = events.length > limit || Boolean(page.next_page_token)
    if (events.length >= limit) return { events: events.slice(0, limit), hasMore }
  }
  return { events, hasMore: false }
}
