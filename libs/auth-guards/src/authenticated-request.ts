import type { FastifyRequest } from 'fastify'
import type { Credential } from './presented-credential.js'
import type { Principal } from './principal.js'

/** A request as the guard leaves it. */
export interface AuthenticatedRequest extends FastifyRequest {
  principal?: Principal
  credential?: Credential
}
