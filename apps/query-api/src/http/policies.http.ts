import { Body, Controller, Delete, Get, HttpCode, Param, Put, Res } from '@nestjs/common'
import { ApiParam } from '@nestjs/swagger'
import { RequireScope } from '@olytix/auth-guards'
import { z } from 'zod'
import type { Caller } from '../audit/audit-event.js'
import type { DefinitionVersion, StoredDefinition } from '../definitions/stored-definition.js'
import { PoliciesService } from '../policies/policies.service.js'
import { type PolicyKind, readPolicy } from '../project/read-policy.js'
import { authorToJson } from './author.js'
import { CurrentCaller } from './current-caller.js'
import { entityTag, NamedTarget, type Target } from './precondition.js'

/** What it says is checked with the rest of the project: its problems are the project's. */
const PolicyBody = z.record(z.string(), z.unknown())

interface Reply {
  header(name: string, value: string): unknown
  status(code: number): unknown
}

/** Who may see which rows, and what is masked for whom. */
@Controller('api/v1/policies')
@RequireScope('admin')
export class PoliciesController {
  constructor(private readonly policies: PoliciesService) {}

  @Get()
  async list() {
    return { policies: (await this.policies.list()).map(policyToJson), next_page_token: null }
  }

  @Get(':name')
  async get(@Param('name') name: string, @Res({ passthrough: true }) reply: Reply) {
    const policy = await this.policies.get(name)
    reply.header('etag', entityTag(policy.revision))
    return policyToJson(policy)
  }

  @Get(':name/history')
  async history(@Param('name') name: string) {
    return { versions: (await this.policies.history(name)).map(versionToJson) }
  }

  @Put(':name')
  @ApiParam({ name: 'name' })
  async put(
    @CurrentCaller() caller: Caller,
    @NamedTarget() target: Target,
    @Body({ schema: PolicyBody }) body: z.output<typeof PolicyBody>,
    @Res({ passthrough: true }) reply: Reply,
  ) {
    const { policy, isNew } = await this.policies.put(caller, target, body)
    reply.header('etag', entityTag(policy.revision))
    reply.status(isNew ? 201 : 200)
    return policyToJson(policy)
  }

  @Delete(':name')
  @ApiParam({ name: 'name' })
  @HttpCode(204)
  async delete(@CurrentCaller() caller: Caller, @NamedTarget() target: Target): Promise<void> {
    await this.policies.delete(caller, target)
  }
}

function policyToJson(stored: StoredDefinition) {
  return {
    name: stored.name,
    kind: KINDS[kindOf(stored)],
    policy: readPolicy(kindOf(stored), stored.text) ?? null,
    path: stored.path,
    revision: stored.revision,
    changed_at: stored.changedAt.toISOString(),
    changed_by: authorToJson(stored),
  }
}

function versionToJson(version: DefinitionVersion) {
  return {
    revision: version.revision,
    change: version.change,
    kind: KINDS[kindOf(version)],
    policy: version.text === null ? null : (readPolicy(kindOf(version), version.text) ?? null),
    changed_at: version.changedAt.toISOString(),
    changed_by: authorToJson(version),
  }
}

const KINDS = { policies: 'rows', masking: 'masking' } as const

function kindOf({ kind }: Pick<StoredDefinition, 'kind'>): PolicyKind {
  return kind === 'masking' ? 'masking' : 'policies'
}
