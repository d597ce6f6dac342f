import { Body, Controller, Delete, Get, HttpCode, Param, Put, Res } from '@nestjs/common'
import { ApiParam } from '@nestjs/swagger'
import { RequireScope } from '@olytix/auth-guards'
import { invalidRequest, suggest } from '@olytix/errors'
import { z } from 'zod'
import type { Caller } from '../audit/audit-event.js'
import {
  DefinitionEditor,
  EDITABLE_KINDS,
  type EditableKind,
} from '../definitions/definition-editor.js'
import { DefinitionHistory } from '../definitions/definition-history.js'
import type { DefinitionVersion, StoredDefinition } from '../definitions/stored-definition.js'
import { CurrentProject } from '../project/current-project.js'
import { Text } from './auth/text.schemas.js'
import { authorToJson } from './author.js'
import { CurrentCaller } from './current-caller.js'
import { shownText } from './definition-text.js'
import { entityTag, NamedTarget, type Target } from './precondition.js'

const DefinitionBody = z.strictObject({ text: Text.min(1) })

interface Reply {
  header(name: string, value: string): unknown
  status(code: number): unknown
}

/** What a project defines, besides policies. */
@Controller('api/v1/definitions')
@RequireScope('write')
export class DefinitionsController {
  constructor(
    private readonly editor: DefinitionEditor,
    private readonly past: DefinitionHistory,
    private readonly projects: CurrentProject,
  ) {}

  @Get()
  async list() {
    const definitions = (await this.editor.list()).map(summaryOf)
    return { definitions, next_page_token: null }
  }

  @Get(':kind')
  async listKind(@Param('kind') kind: string) {
    const definitions = (await this.editor.list([kindOf(kind)])).map(summaryOf)
    return { definitions, next_page_token: null }
  }

  @Get(':kind/:name')
  async get(
    @CurrentCaller() caller: Caller,
    @Param('kind') kind: string,
    @Param('name') name: string,
    @Res({ passthrough: true }) reply: Reply,
  ) {
    const definition = await this.editor.get(kindOf(kind), name)
    reply.header('etag', entityTag(definition.revision))
    return { ...summaryOf(definition), ...this.textFor(caller, definition) }
  }

  @Get(':kind/:name/history')
  async history(
    @CurrentCaller() caller: Caller,
    @Param('kind') kind: string,
    @Param('name') name: string,
  ) {
    const versions = await this.past.of(kindOf(kind), name)
    return { versions: versions.map((each) => this.versionFor(caller, each)) }
  }

  @Put(':kind/:name')
  @ApiParam({ name: 'kind' })
  @ApiParam({ name: 'name' })
  async put(
    @CurrentCaller() caller: Caller,
    @NamedTarget() { kind, ...target }: Target,
    @Body({ schema: DefinitionBody }) { text }: z.output<typeof DefinitionBody>,
    @Res({ passthrough: true }) reply: Reply,
  ) {
    const where = { kind: kindOf(kind ?? ''), ...target }
    const { definition, isNew } = await this.editor.put(caller, where, text)
    reply.header('etag', entityTag(definition.revision))
    reply.status(isNew ? 201 : 200)
    return { ...summaryOf(definition), ...this.textFor(caller, definition) }
  }

  @Delete(':kind/:name')
  @ApiParam({ name: 'kind' })
  @ApiParam({ name: 'name' })
  @HttpCode(204)
  async delete(
    @CurrentCaller() caller: Caller,
    @NamedTarget() { kind, ...target }: Target,
  ): Promise<void> {
    await this.editor.delete(caller, { kind: kindOf(kind ?? ''), ...target })
  }

  private textFor(
    { principal }: Caller,
    definition: Pick<StoredDefinition, 'kind' | 'name' | 'text'>,
  ) {
    return shownText(this.projects.project, principal, definition)
  }

  private versionFor(caller: Caller, version: DefinitionVersion) {
    const { kind, name, text } = version
    const shown =
      text === null ? { text, redacted: false } : this.textFor(caller, { kind, name, text })
    return {
      revision: version.revision,
      change: version.change,
      changed_at: version.changedAt.toISOString(),
      changed_by: authorToJson(version),
      ...shown,
    }
  }
}

function summaryOf({
  kind,
  name,
  path,
  isEdited,
  revision,
  changedAt,
  ...author
}: StoredDefinition) {
  return {
    kind,
    name,
    path,
    edited: isEdited,
    revision,
    changed_at: changedAt.toISOString(),
    changed_by: authorToJson(author),
  }
}

function kindOf(text: string): EditableKind {
  const kind = EDITABLE_KINDS.find((each) => each === text)
  if (kind) return kind
  const near = suggest(text, EDITABLE_KINDS)
  const message = `expected one of ${EDITABLE_KINDS.join(', ')}`
  throw invalidRequest([
    { path: 'kind', message, ...(near === undefined ? {} : { suggestion: near }) },
  ])
}
