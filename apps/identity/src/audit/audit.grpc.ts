import { Controller } from '@nestjs/common'
import { GrpcMethod, Payload } from '@nestjs/microservices'
import { RequireScope } from '@olytix/auth-guards'
import type { ListEventsRequest, ListEventsResponse, VerifyEventsResponse } from '@olytix/proto'
import { parseEventPage } from './audit.schemas.js'
import { eventId, toEventMessage } from './event-message.js'
import { EventsService } from './events.service.js'

/** `AuditService`: the trail for those who may see it. */
@RequireScope('admin')
@Controller()
export class AuditController {
  constructor(private readonly events: EventsService) {}

  @GrpcMethod('AuditService', 'ListEvents')
  async listEvents(@Payload() request: ListEventsRequest): Promise<ListEventsResponse> {
    const { filter, page } = parseEventPage(request)
    const { events, nextId } = await this.events.listEvents(filter, page)
    return {
      events: events.map(toEventMessage),
      nextPageToken: nextId === null ? '' : eventId(nextId),
    }
  }

  @GrpcMethod('AuditService', 'VerifyEvents')
  async verifyEvents(): Promise<VerifyEventsResponse> {
    const { eventsChecked, firstBroken, headHash } = await this.events.verifyEvents()
    return {
      intact: firstBroken === null,
      eventsChecked,
      firstBrokenId: firstBroken === null ? '' : eventId(firstBroken),
      headHash: headHash.toString('hex'),
    }
  }
}
