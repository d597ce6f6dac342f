import { type DynamicModule, Module } from '@nestjs/common'
import { APP_FILTER, NestFactory } from '@nestjs/core'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import { AuthGuardsModule, type Principal, type Refusal } from '@olytix/auth-guards'
import { FakeAuthorizer } from '@olytix/auth-guards/testing'
import { AppError } from '@olytix/errors'
import { HttpErrorFilter } from '@olytix/errors/nest'
import { CurrentProject } from '../src/project/current-project.js'
import type { CallContext } from '../src/http/auth/identity.client.js'
import type { Principals } from '../src/http/auth/principals.js'
import type { OtherPrincipal } from '../src/query/explain.service.js'
import { createFastifyAdapter } from '../src/http/fastify-server.js'
import { createQueryHttpModule } from '../src/http/query-http.module.js'
import { validationPipe } from '../src/http/validation.js'
import { doorEvent } from '../src/audit/door-event.js'
import { AuditService } from '../src/audit/audit.service.js'
import { Database } from '@olytix/postgres'
import type { Superstore } from './superstore.js'

/** The routes of questions on a free port; a caller's credential is the name of their principal. */
export interface QueryApp {
  readonly url: string
  readonly close: () => Promise<void>
}

export async function startQueryApp(
  { project, warehouse }: Pick<Superstore, 'project' | 'warehouse'>,
  principals: Readonly<Record<string, Principal>>,
  audit = withoutAudit(),
): Promise<QueryApp> {
  const projects = new CurrentProject({ project, revision: 0, builds: 0 })
  const onRefusal = (refusal: Refusal): Promise<void> =>
    audit.recordRefusal(doorEvent(refusal, audit.clock.now()))
  const modules = [
    createQueryHttpModule({
      projects,
      warehouse,
      audit,
      principals: new FakePrincipals(principals),
    }),
  ]
  const { origin, close } = await serveRoutes(principals, modules, onRefusal)
  return { url: `${origin}/api/v1/query`, close }
}

/** The routes of modules on a free port, behind the guard. */
export async function serveRoutes(
  principals: Readonly<Record<string, Principal>>,
  modules: readonly DynamicModule[],
  onRefusal: (refusal: Refusal) => Promise<void> = () => Promise.resolve(),
): Promise<{ readonly origin: string; readonly close: () => Promise<void> }> {
  @Module({
    imports: [
      AuthGuardsModule.forRoot({
        authorizer: new FakeAuthorizer(principals),
        allowQueryParameter: true,
        onRefusal,
      }),
      ...modules,
    ],
    providers: [{ provide: APP_FILTER, useClass: HttpErrorFilter }],
  })
  class App {}
  const adapter = createFastifyAdapter({ trustedProxies: [], onResponse: () => undefined })
  const app = await NestFactory.create<NestFastifyApplication>(App, adapter, { logger: false })
  app.useGlobalPipes(validationPipe())
  await app.listen(0, '127.0.0.1')
  return { origin: await app.getUrl(), close: () => app.close() }
}

/** Finds principals by the names that are their credentials. */
export class FakePrincipals implements Principals {
  constructor(private readonly known: Readonly<Record<string, Principal>>) {}

  find(_: CallContext, text: string): Promise<OtherPrincipal> {
    const principal = this.known[text]
    if (!principal) throw new AppError('NOT_FOUND', 'Nobody has this id')
    return Promise.resolve({ principal, isActive: true })
  }
}

/** For tests of other things: nothing is written, so that no database is asked. */
function withoutAudit(): AuditService {
  const database = new Database({ url: 'postgres://127.0.0.1:1/none' })
  return new AuditService(database, { isEnabled: false, durability: 'batched' })
}
