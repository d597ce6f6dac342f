import type { Command } from 'commander'
import type { Cube, Member } from '../api/answers.js'
import { renderTable } from '../output/table.js'
import type { CommandContext } from './command-context.js'

export function addMeta(program: Command, context: CommandContext): void {
  const meta = program.command('meta').description('show what can be asked for')
  addMetaCubes(meta, context)
  addMetaMetrics(meta, context)
}

function addMetaCubes(meta: Command, context: CommandContext): void {
  meta
    .command('cubes')
    .description('list the cubes with their measures and dimensions')
    .action(async () => {
      const cubes = await (await context.api()).listCubes()
      context.answer({ cubes }, () => renderMembers(cubes.flatMap(toRows)))
    })
}

function addMetaMetrics(meta: Command, context: CommandContext): void {
  meta
    .command('metrics')
    .description('list the metrics')
    .action(async () => {
      const metrics = await (await context.api()).listMetrics()
      context.answer({ metrics }, () =>
        renderTable(
          [{ title: 'metric' }, { title: 'type' }, { title: 'description' }],
          metrics.map((metric) => [metric.name, metric.type, about(metric)]),
        ),
      )
    })
}

function toRows(cube: Cube): string[][] {
  return [
    ...cube.dimensions.map((member) => toRow(cube, member, 'dimension')),
    ...cube.measures.map((member) => toRow(cube, member, 'measure')),
  ]
}

function toRow(cube: Cube, member: Member, kind: string): string[] {
  return [`${cube.name}.${member.name}`, kind, member.type, about(member)]
}

function renderMembers(rows: readonly string[][]): string {
  return renderTable(
    ['member', 'kind', 'type', 'description'].map((title) => ({ title })),
    rows,
  )
}

function about(member: Member): string {
  return member.description || member.title || ''
}
