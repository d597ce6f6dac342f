import type { Command } from 'commander'
import type { LoadedProject } from '../api/project-api.js'
import { printable } from '../output/printable.js'
import type { CommandContext } from './command-context.js'

interface Options {
  readonly path?: string
  readonly strict?: boolean
}

/** `compile` says what is wrong with the server's project folder; `load` makes it what questions are answered from. */
export function addProject(program: Command, context: CommandContext): void {
  add(program, context, 'compile', 'check the project folder of the server; changes nothing')
  add(program, context, 'load', 'load the project folder of the server')
}

function add(
  program: Command,
  context: CommandContext,
  verb: 'compile' | 'load',
  description: string,
): void {
  program
    .command(verb)
    .description(`${description}; exit code 1 if it does not compile`)
    .option('--path <folder>', 'a project inside that folder')
    .option('--strict', 'warnings count as problems')
    .action(async ({ path, strict = false }: Options) => {
      const body = { ...(path === undefined ? {} : { project_path: path }), strict }
      const answer = await (await context.api()).project[verb](body)
      context.answer(answer, () => render(answer))
      if (!answer.success) context.fail()
    })
}

function render(project: LoadedProject): string {
  const errors = project.errors.map(({ path, line, column, message, suggestion }) => {
    const place = [path, line, column].filter((part) => part !== null && part !== undefined)
    return `${place.map(String).join(':')}  ${message}${suggestion ? `; did you mean ${suggestion}?` : ''}`
  })
  const warnings = project.warnings.map((warning) => `warning: ${warning}`)
  const lines = [...errors, ...warnings, project.success ? countsOf(project) : 'Not loaded.']
  return lines.map((line) => `${printable(line)}\n`).join('')
}

function countsOf(project: LoadedProject): string {
  const counts = [
    ['sources', project.source_count],
    ['models', project.model_count],
    ['cubes', project.cube_count],
    ['metrics', project.metric_count],
  ] as const
  const listed = counts.map(([what, count]) => `${count.toString()} ${what}`).join(', ')
  return `${project.project_name ?? ''}: ${listed}`
}
