import { Controller, Get, Header, Res } from '@nestjs/common'
import { ApiExcludeController } from '@nestjs/swagger'
import { Public } from '@olytix/auth-guards'
import type { FastifyReply } from 'fastify'
import { readLoginPage } from './login-page.js'

/** The page for people. Not kept by anybody: its address may hold a one-time code. */
@Controller('login')
@ApiExcludeController()
@Public()
export class LoginController {
  private readonly page = readLoginPage()

  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('cache-control', 'no-store')
  @Header('referrer-policy', 'no-referrer')
  @Header('x-content-type-options', 'nosniff')
  @Header('x-frame-options', 'DENY')
  @Header('cross-origin-opener-policy', 'same-origin')
  show(@Res({ passthrough: true }) reply: FastifyReply): string {
    void reply.header('content-security-policy', this.page.contentSecurityPolicy)
    return this.page.html
  }
}
