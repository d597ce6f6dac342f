import { Controller, Get, Inject } from '@nestjs/common'
import { Public } from '@olytix/auth-guards'
import { unavailable } from '@olytix/errors'

/** Something that must answer before requests can be served. */
export interface ReadinessCheck {
  readonly name: string
  isReady(): Promise<boolean>
}

export const READINESS_CHECKS = Symbol('ReadinessChecks')

/** Live: the process answers. Ready: everything it needs does. */
@Controller('health')
@Public()
export class HealthController {
  constructor(@Inject(READINESS_CHECKS) private readonly checks: readonly ReadinessCheck[]) {}

  @Get('live')
  live() {
    return { status: 'live' }
  }

  @Get('ready')
  async ready() {
    const results = await Promise.all(
      this.checks.map(async (check) => ({ name: check.name, ready: await check.isReady() })),
    )
    const missing = results.filter(({ ready }) => !ready).map(({ name }) => name)
    if (missing.length > 0) throw unavailable(`What is needed (${missing.join(', ')})`)
    return {
      status: 'ready',
      checks: Object.fromEntries(results.map(({ name }) => [name, 'ready'])),
    }
  }
}
