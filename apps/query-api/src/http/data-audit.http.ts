import { Controller, Get, Query } from '@nestjs/common'
import { RequireScope } from '@olytix/auth-guards'
import { z } from 'zod'
import { AUDIT_EVENT_TYPES } from '../audit/audit-event.js'
import { AuditService } from '../audit/audit.service.js'
import { Moment, Text } from './auth/text.schemas.js'

const EventsQuery = z.object({
  type: z.enum(AUDIT_EVENT_TYPES).optional(),
  subject: Text.max(500).optional(),
  from: Moment.optional(),
  to: Moment.optional(),
  page_size: z.coerce.number().int().min(1).max(1000).default(100),
  page_token: z
    .string()
    .regex(/^[1-9]\d{0,17}$/, 'is not one that a list answered')
    .optional(),
})

/** Who asked for which numbers, newest first. */
@Controller('api/v1/audit')
@RequireScope('admin')
export class DataAuditController {
  constructor(private readonly audit: AuditService) {}

  @Get()
  async list(@Query({ schema: EventsQuery }) query: z.output<typeof EventsQuery>) {
    const { page_size: size, page_token: beforeId = null, ...filter } = query
    const { events, nextId } = await this.audit.list(filter, { size, beforeId })
    return { events, next_page_token: nextId }
  }
}
