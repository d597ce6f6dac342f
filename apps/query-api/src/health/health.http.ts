import { Controller, Get, Inject } from '@nestjs/common'
import { Public } from '@olytix/auth-guards'
import { unavailable } from '@olytix/errors'

/** Something that must answer before requests can be served. */
export interface ReadinessCheck {
  readonly name: string
  isReady(): Promise<boolean>
}

export const READINESS_CHECKS = Symbol('ReadinessChecks')

interface Result {
  readonly name: string
  readonly isReady: boolean
}

/** Live: the process answers. Ready: everything it needs does. */
@Controller('health')
@Public()
export class HealthController {
  private looking: Promise<readonly Result[]> | undefined

  constructor(@Inject(READINESS_CHECKS) private readonly checks: readonly ReadinessCheck[]) {}

  @Get('live')
  live() {
    return { status: 'live' }
  }

  @Get('ready')
  async ready() {
    const results = await this.look()
    const missing = results.filter(({ isReady }) => !isReady).map(({ name }) => name)
    if (missing.length > 0) throw unavailable(`What is needed (${missing.join(', ')})`)
    return {
      status: 'ready',
      checks: Object.fromEntries(results.map(({ name }) => [name, 'ready'])),
    }
  }

  /** Whoever asks meanwhile shares the look: strangers must not take the warehouse's connections. */
  private look(): Promise<readonly Result[]> {
    this.looking ??= Promise.all(
      this.checks.map(async (check) => ({ name: check.name, isReady: await check.isReady() })),
    ).finally(() => {
      this.looking = undefined
    })
    return this.looking
  }
}
