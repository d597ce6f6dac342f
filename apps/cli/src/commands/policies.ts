import { type Command, InvalidArgumentError } from 'commander'
import type { Policy, PolicyVersion } from '../api/policies-api.js'
import { renderFields, renderTable } from '../output/table.js'
import type { CommandContext } from './command-context.js'
import { checkId } from './ids.js'
import { type PolicyContent, readPolicyFile } from './policy-file.js'

const COLUMNS = ['name', 'kind', 'cube', 'revision', 'changed', 'by']
const VERSION_COLUMNS = ['revision', 'change', 'changed', 'by', 'policy']

export function addPolicies(program: Command, context: CommandContext): void {
  const policies = program
    .command('policies')
    .description('who may see which rows, and what is masked for whom')
  policies
    .command('list')
    .description('list all policies')
    .action(async () => {
      const list = await (await context.api()).policies.list()
      context.answer({ policies: list }, () => renderPolicies(list))
    })
  addShow(policies, context)
  addPut(policies, context)
  addDelete(policies, context)
  addHistory(policies, context)
}

function addShow(policies: Command, context: CommandContext): void {
  const command = policies.command('show').description('show one policy').argument('<name>')
  command.action(async (name: string) => {
    checkId(command, name, '`policies list`')
    const policy = await (await context.api()).policies.get(name)
    context.answer(policy, () => renderPolicy(policy))
  })
}

interface RevisionOption {
  readonly revision?: number
}

function addPut(policies: Command, context: CommandContext): void {
  const command = policies
    .command('put')
    .description('make the policies of a YAML file, or change those of the same names')
    .argument('<file>')
    .option('--revision <n>', 'only if this revision has changed it last', parseRevision)
  command.action(async (path: string, { revision }: RevisionOption) => {
    const contents = await contentsOf(command, path)
    if (revision !== undefined && contents.length > 1) {
      command.error(`--revision is of one policy; ${path} has ${String(contents.length)}`)
    }
    const api = (await context.api()).policies
    const put: Policy[] = []
    for (const content of contents) put.push(await api.put(content.name, content, revision))
    context.answer({ policies: put }, () =>
      put
        .map(({ name, revision: made }) => `Policy Put: ${name} (revision ${String(made)})\n`)
        .join(''),
    )
  })
}

function addDelete(policies: Command, context: CommandContext): void {
  const command = policies
    .command('delete')
    .description('delete a policy; a cube whose last one goes is open to everybody with read')
    .argument('<name>')
    .option('--revision <n>', 'only if this revision has changed it last', parseRevision)
  command.action(async (name: string, { revision }: RevisionOption) => {
    checkId(command, name, '`policies list`')
    await (await context.api()).policies.delete(name, revision)
    context.answer({ name, deleted: true }, () => `Policy Deleted: ${name}\n`)
  })
}

function addHistory(policies: Command, context: CommandContext): void {
  const command = policies
    .command('history')
    .description('show every change of a policy, newest first')
    .argument('<name>')
  command.action(async (name: string) => {
    checkId(command, name, '`policies list`')
    const versions = await (await context.api()).policies.history(name)
    context.answer({ versions }, () =>
      renderTable(
        VERSION_COLUMNS.map((title) => ({ title })),
        versions.map((version) => [...changeOf(version), contentText(version.policy)]),
      ),
    )
  })
}

async function contentsOf(command: Command, path: string): Promise<readonly PolicyContent[]> {
  try {
    return await readPolicyFile(path)
  } catch (error) {
    return command.error(error instanceof Error ? error.message : String(error))
  }
}

function parseRevision(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Expected the number of a revision.')
}

function renderPolicies(policies: readonly Policy[]): string {
  if (policies.length === 0) return 'No policies.\n'
  return renderTable(
    COLUMNS.map((title) => ({ title })),
    policies.map(({ name, kind, policy, revision, changed_at: at, changed_by: by }) => [
      name,
      kind,
      policy?.cube ?? '',
      String(revision),
      at,
      authorOf(by),
    ]),
  )
}

function renderPolicy({
  name,
  kind,
  policy,
  revision,
  changed_at: at,
  changed_by: by,
}: Policy): string {
  return renderFields([
    ['name', name],
    ['kind', kind],
    ...Object.entries(policy ?? {}).flatMap(([key, value]): [string, string][] =>
      key === 'name' ? [] : [[key, valueText(value)]],
    ),
    ['revision', String(revision)],
    ['changed', `${at} by ${authorOf(by)}`],
  ])
}

function changeOf({ revision, change, changed_at: at, changed_by: by }: PolicyVersion): string[] {
  return [String(revision), change, at, authorOf(by)]
}

function authorOf(author: Policy['changed_by']): string {
  return author ? (author.email ?? author.id) : 'project folder'
}

function contentText(policy: Policy['policy']): string {
  const said = Object.entries(policy ?? {}).filter(([key]) => key !== 'name')
  return said.map(([key, value]) => `${key}: ${valueText(value)}`).join('; ')
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join(', ')
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}
