import {
  ListEventsRequest,
  type ListEventsResponse,
  VerifyEventsRequest,
  type VerifyEventsResponse,
} from '@olytix/proto'
import { ADMIN_KEY, as, type Harness, unary } from './harness.js'

/** What an admin asks of the audit trail, over gRPC. */
export class AuditCalls {
  constructor(private readonly identity: Harness) {}

  list(filter: Partial<ListEventsRequest>): Promise<ListEventsResponse> {
    const client = this.identity.auditClient
    const request = ListEventsRequest.create(filter)
    return unary((done) => client.listEvents(request, as(ADMIN_KEY), done))
  }

  verify(): Promise<VerifyEventsResponse> {
    const client = this.identity.auditClient
    return unary((done) => client.verifyEvents(VerifyEventsRequest.create(), as(ADMIN_KEY), done))
  }
}
