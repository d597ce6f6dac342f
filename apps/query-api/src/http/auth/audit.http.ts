import { Controller, Get, HttpCode, Post, Query } from '@nestjs/common'
import { RequireScope } from '@olytix/auth-guards'
import { type AuditEvent, ListEventsRequest, VerifyEventsRequest } from '@olytix/proto'
import { z } from 'zod'
import { PassOn } from './call-context.js'
import { type CallContext, IdentityClient } from './identity.client.js'
import { Moment, moment, Text } from './text.schemas.js'

const EventsQuery = z
  .object({
    type: Text.max(63).optional(),
    subject: Text.max(200).optional(),
    from: Moment.optional(),
    to: Moment.optional(),
    page_size: z.coerce.number().int().min(1).max(1000).optional(),
    page_token: Text.max(500).optional(),
  })
  .transform((query) =>
    ListEventsRequest.create({
      type: query.type ?? '',
      subject: query.subject ?? '',
      from: query.from,
      to: query.to,
      pageSize: query.page_size ?? 0,
      pageToken: query.page_token ?? '',
    }),
  )

/** Security events, newest first. */
@Controller('api/v1/auth/audit')
@RequireScope('admin')
export class AuditController {
  constructor(private readonly identity: IdentityClient) {}

  @Get()
  async list(
    @PassOn() context: CallContext,
    @Query({ schema: EventsQuery }) query: ListEventsRequest,
  ) {
    const { audit } = this.identity
    const answer = await this.identity.call(context, audit.listEvents.bind(audit), query)
    return { events: answer.events.map(toJson), next_page_token: answer.nextPageToken || null }
  }

  @Post('verify')
  @HttpCode(200)
  async verify(@PassOn() context: CallContext) {
    const { audit } = this.identity
    const request = VerifyEventsRequest.create()
    const answer = await this.identity.call(context, audit.verifyEvents.bind(audit), request)
    return {
      intact: answer.intact,
      events_checked: answer.eventsChecked,
      first_broken_id: answer.firstBrokenId || null,
      head_hash: answer.headHash || null,
    }
  }
}

function toJson(event: AuditEvent): Record<string, unknown> {
  return {
    id: event.id,
    event_type: event.eventType,
    timestamp: moment(event.timestamp),
    request_id: event.requestId || null,
    user_id: event.userId || null,
    user_email: event.userEmail || null,
    user_roles: event.userRoles,
    client_ip: event.clientIp || null,
    subject: event.subject || null,
    access_granted: event.accessGranted,
    denial_reason: event.denialReason || null,
    additional_data: event.additionalData ?? {},
  }
}
