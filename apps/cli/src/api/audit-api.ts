import { z } from 'zod'
import { moment, number } from './answers.js'
import { pages } from './pages.js'
import type { EventQuery } from './security-api.js'
import type { Endpoint } from './transport.js'

const event = z.looseObject({
  event_type: z.string(),
  timestamp: moment,
  request_id: z.string().nullish(),
  user_id: z.string().nullish(),
  user_email: z.string().nullish(),
  client_ip: z.string().nullish(),
  cube_name: z.string().nullish(),
  measures_requested: z.array(z.string()),
  dimensions_requested: z.array(z.string()),
  rows_returned: number.nullish(),
  access_granted: z.boolean(),
  denial_reason: z.string().nullish(),
  additional_data: z.record(z.string(), z.unknown()),
})

/** One event of the trail of questions and of changes to what decides about them. */
export type DataEvent = z.output<typeof event>

const eventPage = z.looseObject({ events: z.array(event), next_page_token: z.string().nullish() })

const LARGEST_PAGE = 1000

/** The trail of questions. Every method throws what `call` throws. */
export class AuditApi {
  constructor(private readonly endpoint: Endpoint) {}

  /** The newest `limit` events that fit, and whether there are more. */
  async list(
    query: EventQuery,
    limit: number,
  ): Promise<{ readonly events: readonly DataEvent[]; readonly hasMore: boolean }> {
    const search = { ...query, page_size: String(Math.min(limit, LARGEST_PAGE)) }
    const events: DataEvent[] = []
    for await (const page of pages(this.endpoint, { path: 'api/v1/audit', search }, eventPage)) {
      events.push(...page.events)
      const hasMore = events.length > limit || Boolean(page.next_page_token)
      if (events.length >= limit) return { events: events.slice(0, limit), hasMore }
    }
    return { events, hasMore: false }
  }
}
