import { ConfigError } from '@olytix/config'
import { Command, CommanderError } from 'commander'
import { ApiClient } from './api/api-client.js'
import { ApiRefusal, ServerUnreachable } from './api/api-errors.js'
import { addCreateKey } from './commands/auth-create-key.js'
import { addListKeys } from './commands/auth-list-keys.js'
import { addRevokeKey } from './commands/auth-revoke-key.js'
import type { CommandContext } from './commands/command-context.js'
import { addMeta } from './commands/meta.js'
import { addQuery } from './commands/query.js'
import { addWhoami } from './commands/whoami.js'
import { renderJson } from './output/json.js'
import { type Problem, renderProblem } from './output/problem.js'
import { readSecret, type Terminal } from './output/terminal.js'
import { type Connection, type ConnectionFlags, resolveConnection } from './profile/connection.js'
import type { Surroundings } from './profile/find-profile.js'
import { ProfileError } from './profile/profile-error.js'

export interface CliInput {
  readonly version: string
  readonly terminal: Terminal
  readonly surroundings: Surroundings
}

/** 0 done, 1 refused, 2 usage, 3 unreachable. */
export type ExitCode = 0 | 1 | 2 | 3

type GlobalOptions = ConnectionFlags & { readonly json?: boolean }

/** Runs one command line (without `node` and the script). Answers go to standard output, problems to standard error. */
export async function runCli(args: readonly string[], input: CliInput): Promise<ExitCode> {
  const program = new Command('olytix-core')
  const session = new Session(program, input)
  addCommands(program, session, input)
  try {
    await program.parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    // commander throws to say that it has shown its help or version.
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    // A group without a command: its help stands on standard error already.
    if (error instanceof CommanderError && error.code === 'commander.help') return 2
    const { exitCode, problem } = explain(error, session.connection)
    input.terminal.stderr.write(renderProblem(problem, args.includes('--json')))
    return exitCode
  }
}

function addCommands(program: Command, context: CommandContext, input: CliInput): void {
  const { stdout, stderr } = input.terminal
  program
    .description('Governed metrics by name, from a terminal.')
    .version(input.version)
    .option('--url <url>', 'the server (else OLYTIX_URL, else the profile)')
    .option('--profile <file>', 'a profile.json, or the folder that holds it')
    .option(
      '--api-key-file <file>',
      'a file that holds the API key (else OLYTIX_API_KEY, else the profile)',
    )
    .option('--json', 'answer in JSON')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      // Written by runCli, in the form that --json asks for.
      outputError: () => undefined,
    })
    .exitOverride()
  const auth = program.command('auth').description('API keys, and who you are')
  addCreateKey(auth, context)
  addListKeys(auth, context)
  addRevokeKey(auth, context)
  addWhoami(auth, context)
  addWhoami(program, context)
  addQuery(program, context)
  addMeta(program, context)
}

/** What the commands of one run share. */
class Session implements CommandContext {
  /** Known once a command has asked for the server. */
  connection: Connection | undefined

  constructor(
    private readonly program: Command,
    private readonly input: CliInput,
  ) {}

  get asJson(): boolean {
    return this.program.opts<GlobalOptions>().json ?? false
  }

  async api(): Promise<ApiClient> {
    const flags = this.program.opts<GlobalOptions>()
    this.connection = await resolveConnection(flags, this.input.surroundings)
    return new ApiClient(this.connection)
  }

  print(text: string): void {
    this.input.terminal.stdout.write(text)
  }

  printJson(value: unknown): void {
    this.print(renderJson(value))
  }

  answer(value: unknown, forPeople: () => string): void {
    if (this.asJson) this.printJson(value)
    else this.print(forPeople())
  }

  readSecret(prompt: string): Promise<string> {
    return readSecret(this.input.terminal, prompt)
  }
}

function explain(
  error: unknown,
  connection: Connection | undefined,
): { readonly exitCode: ExitCode; readonly problem: Problem } {
  if (error instanceof ApiRefusal) {
    const hint =
      error.status === 401 && connection ? `The key came from ${connection.keySource}.` : undefined
    const { code, message, details } = error
    // 503: what the server needs does not answer.
    return { exitCode: error.status === 503 ? 3 : 1, problem: { code, message, details, hint } }
  }
  if (error instanceof ServerUnreachable) {
    const hint = 'Is it running? `npm start` starts one here; --url or OLYTIX_URL names another.'
    return { exitCode: 3, problem: { code: 'UNREACHABLE', message: error.message, hint } }
  }
  if (error instanceof ProfileError || error instanceof ConfigError) {
    return { exitCode: 2, problem: { code: 'USAGE', message: error.message } }
  }
  if (error instanceof CommanderError) {
    const message = error.message.replace(/^error: /, '')
    return { exitCode: 2, problem: { code: 'USAGE', message } }
  }
  throw error
}
