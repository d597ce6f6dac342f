import { Controller, Get } from '@nestjs/common'
import { CurrentPrincipal, type Principal, RequireAuthentication } from '@olytix/auth-guards'

/** Who the caller is, as identity knows them at this moment. */
@Controller('api/v1/auth/me')
export class MeController {
  @Get()
  @RequireAuthentication({ fresh: true })
  me(@CurrentPrincipal() principal: Principal) {
    return {
      id: principal.id,
      kind: principal.kind,
      email: principal.email,
      name: principal.name,
      roles: principal.roles,
      scopes: principal.scopes,
      attributes: principal.attributes,
      expires_at: principal.expiresAt?.toISOString() ?? null,
    }
  }
}
