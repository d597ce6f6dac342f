import { z } from 'zod'
import { moment, number } from './answers.js'
import { type EventQuery, type NewestEvents, newestEvents } from './newest-events.js'
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

/** The trail of questions. Every method throws what `call` throws. */
export class AuditApi {
  constructor(private readonly endpoint: Endpoint) {}

  /** The newest `limit` events that fit, and whether there are more. */
  list(query: EventQuery, limit: number): Promise<NewestEvents<DataEvent>> {
    return newestEvents(this.endpoint, { path: 'api/v1/audit', page: eventPage }, query, limit)
  }
}
