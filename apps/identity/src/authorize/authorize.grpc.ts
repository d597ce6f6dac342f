import { Controller } from '@nestjs/common'
import { GrpcMethod, Payload } from '@nestjs/microservices'
import type {
  AuthorizeRequest,
  AuthorizeResponse,
  BatchAuthorizeRequest,
  BatchAuthorizeResponse,
  RecordUsesRequest,
  RecordUsesResponse,
  WatchInvalidationsRequest,
  WatchInvalidationsResponse,
} from '@olytix/proto'
import { Observable } from 'rxjs'
import { KeyUsesService } from '../keys/key-uses.service.js'
import { parseQuestion, parseQuestions } from './authorize.schemas.js'
import { AuthorizeService } from './authorize.service.js'
import { toAuthorizeResponse } from './decision-message.js'
import { toInvalidationsMessage } from './invalidations-message.js'
import { InvalidationsService } from './invalidations.service.js'
import { parseUses } from './record-uses.schemas.js'
import { ServiceCall } from './service-call.decorator.js'

/** `AuthorizationService`: asked by the guards of other services, on every request. */
@ServiceCall()
@Controller()
export class AuthorizeController {
  constructor(
    private readonly authorizeService: AuthorizeService,
    private readonly invalidations: InvalidationsService,
    private readonly uses: KeyUsesService,
  ) {}

  @GrpcMethod('AuthorizationService', 'Authorize')
  async authorize(@Payload() request: AuthorizeRequest): Promise<AuthorizeResponse> {
    return toAuthorizeResponse(await this.authorizeService.authorize(parseQuestion(request)))
  }

  @GrpcMethod('AuthorizationService', 'BatchAuthorize')
  async batchAuthorize(@Payload() request: BatchAuthorizeRequest): Promise<BatchAuthorizeResponse> {
    const questions = parseQuestions(request)
    const decisions = await Promise.all(
      questions.map((question) => this.authorizeService.authorize(question)),
    )
    return { responses: decisions.map(toAuthorizeResponse) }
  }

  @GrpcMethod('AuthorizationService', 'RecordUses')
  recordUses(@Payload() request: RecordUsesRequest): RecordUsesResponse {
    for (const use of parseUses(request)) this.uses.note(use)
    return {}
  }

  @GrpcMethod('AuthorizationService', 'WatchInvalidations')
  watchInvalidations(
    @Payload() request: WatchInvalidationsRequest,
  ): Observable<WatchInvalidationsResponse> {
    return new Observable((stream) =>
      this.invalidations.watch(request.fromRevision, {
        onBatch: (batch) => {
          stream.next(toInvalidationsMessage(batch))
        },
        onEnd: () => {
          stream.complete()
        },
      }),
    )
  }
}
