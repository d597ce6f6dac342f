import { ConfigError } from '@olytix/config'
import { Command, CommanderError } from 'commander'
import { ApiClient } from './api/api-client.js'
import { ApiRefusal, ServerUnreachable } from './api/api-errors.js'
import type { Credential } from './api/credential.js'
import { SignInApi } from './api/sign-in-api.js'
import type { OpenBrowser } from './browser/open-browser.js'
import { addDataAudit } from './commands/audit.js'
import { addAuth } from './commands/auth.js'
import type { CommandContext, SignInServer } from './commands/command-context.js'
import { addProject } from './commands/compile.js'
import { addMeta } from './commands/meta.js'
import { addPolicies } from './commands/policies.js'
import { addQuery } from './commands/query.js'
import { addRoles } from './commands/roles.js'
import { addRuns } from './commands/runs.js'
import { addUsers } from './commands/users.js'
import { addWhoami } from './commands/whoami.js'
import { renderJson } from './output/json.js'
import { type Problem, renderProblem } from './output/problem.js'
import { printable } from './output/printable.js'
import { ProgressBar } from './output/progress.js'
import {
  NoAnswer,
  type Question,
  readAnswers,
  readSecret,
  type Terminal,
} from './output/terminal.js'
import { type ConnectionFlags, resolveConnection, resolveServer } from './profile/connection.js'
import type { Surroundings } from './profile/find-profile.js'
import { ProfileError } from './profile/profile-error.js'
import { credentialOf } from './session/credential-of.js'
import { SignInFailed } from './session/sign-in-failed.js'

export interface CliInput {
  readonly version: string
  readonly terminal: Terminal
  readonly surroundings: Surroundings
  readonly openBrowser: OpenBrowser
  /** Calls `listener` instead of ending the process when the person presses Ctrl-C, until what it returns is called. */
  readonly onInterrupt: (listener: () => void) => () => void
}

/** 0 done, 1 refused, 2 usage, 3 unreachable. */
export type ExitCode = 0 | 1 | 2 | 3

type GlobalOptions = ConnectionFlags & { readonly json?: boolean }

/** Runs one command line (without `node` and the script). Answers go to standard output, problems to standard error. */
export async function runCli(args: readonly string[], input: CliInput): Promise<ExitCode> {
  const program = new Command('olytix-core')
  const run = new Run(program, input)
  addCommands(program, run, input)
  try {
    await program.parseAsync(args, { from: 'user' })
    return run.hasFailed ? 1 : 0
  } catch (error) {
    // commander throws to say that it has shown its help or version.
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    // A group without a command: its help stands on standard error already.
    if (error instanceof CommanderError && error.code === 'commander.help') return 2
    const { exitCode, problem } = explain(error, run.credential)
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
  addAuth(program, context)
  addUsers(program, context)
  addRoles(program, context)
  addWhoami(program, context)
  addQuery(program, context)
  addMeta(program, context)
  addPolicies(program, context)
  addProject(program, context)
  addRuns(program, context)
  addDataAudit(program, context)
}

/** What the commands of one run share. */
class Run implements CommandContext {
  /** Known once a command has asked for the server. */
  credential: Credential | undefined
  hasFailed = false
  readonly progress: ProgressBar

  constructor(
    private readonly program: Command,
    private readonly input: CliInput,
  ) {
    this.progress = new ProgressBar(input.terminal.stderr)
  }

  get asJson(): boolean {
    return this.flags.json ?? false
  }

  get isInteractive(): boolean {
    return this.input.terminal.stdin.isTTY ?? false
  }

  get openBrowser(): OpenBrowser {
    return this.input.openBrowser
  }

  async api(): Promise<ApiClient> {
    const connection = await resolveConnection(this.flags, this.input.surroundings)
    const credential = credentialOf(connection)
    this.credential = credential
    return new ApiClient({ url: connection.url, credential })
  }

  async signInServer(): Promise<SignInServer> {
    const server = await resolveServer(this.flags, this.input.surroundings)
    return { ...server, api: new SignInApi(server.url) }
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

  note(text: string): void {
    this.input.terminal.stderr.write(`${printable(text)}\n`)
  }

  async interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const interrupted = new AbortController()
    const stop = this.input.onInterrupt(() => {
      interrupted.abort()
    })
    try {
      return await work(interrupted.signal)
    } finally {
      stop()
    }
  }

  fail(): void {
    this.hasFailed = true
  }

  readSecret(prompt: string): Promise<string> {
    return readSecret(this.input.terminal, prompt)
  }

  readAnswers(questions: readonly Question[]): Promise<readonly string[]> {
    return readAnswers(this.input.terminal, questions)
  }

  private get flags(): GlobalOptions {
    return this.program.opts<GlobalOptions>()
  }
}

function explain(
  error: unknown,
  credential: Credential | undefined,
): { readonly exitCode: ExitCode; readonly problem: Problem } {
  if (error instanceof ApiRefusal) {
    const hint = error.hint ?? (error.status === 401 ? credential?.refusedHint : undefined)
    const { code, message, details } = error
    // 503: what the server needs does not answer.
    return { exitCode: error.status === 503 ? 3 : 1, problem: { code, message, details, hint } }
  }
  if (error instanceof ServerUnreachable) {
    const hint = 'Is it running? `npm start` starts one here; --url or OLYTIX_URL names another.'
    return { exitCode: 3, problem: { code: 'UNREACHABLE', message: error.message, hint } }
  }
  if (error instanceof SignInFailed) {
    const { message, hint } = error
    return { exitCode: error.isUnreachable ? 3 : 1, problem: { code: 'SIGN_IN', message, hint } }
  }
  const usage = usageProblem(error)
  if (usage !== undefined) return { exitCode: 2, problem: { code: 'USAGE', message: usage } }
  throw error
}

/** What is wrong with the command line, settings or profile; `undefined` when it is something else. */
function usageProblem(error: unknown): string | undefined {
  if (error instanceof CommanderError) return error.message.replace(/^error: /, '')
  const isOurs =
    error instanceof ProfileError || error instanceof ConfigError || error instanceof NoAnswer
  return isOurs ? error.message : undefined
}
