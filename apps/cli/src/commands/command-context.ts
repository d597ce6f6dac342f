import type { ApiClient } from '../api/api-client.js'
import type { SignInApi } from '../api/sign-in-api.js'
import type { OpenBrowser } from '../browser/open-browser.js'
import type { ProgressBar } from '../output/progress.js'
import type { Question } from '../output/terminal.js'
import type { Server } from '../profile/connection.js'

/** A server to sign in at. */
export interface SignInServer extends Server {
  readonly api: SignInApi
}

/** What a command may use. */
export interface CommandContext {
  /** Under `--json`. */
  readonly asJson: boolean
  /** Whether a person sits at standard input. */
  readonly isInteractive: boolean
  /** The server that flags, environment or profile name. @throws ProfileError */
  api(): Promise<ApiClient>
  /** The same server for calls without a credential, and the profile for what they give. @throws ProfileError */
  signInServer(): Promise<SignInServer>
  print(text: string): void
  printJson(value: unknown): void
  /** Prints `value` as JSON under `--json`, else what `forPeople` makes of it. */
  answer(value: unknown, forPeople: () => string): void
  /** A line beside the answer, on standard error. */
  note(text: string): void
  /** Shows how far something is, to a person. */
  readonly progress: ProgressBar
  /** Gives `work` a signal that is aborted when the person presses Ctrl-C, which then ends nothing else. */
  interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T>
  /** The command ends with exit code 1 although it has an answer: a check that has found something. */
  fail(): void
  readonly openBrowser: OpenBrowser
  /** From standard input; asked for without echo at a terminal. */
  readSecret(prompt: string): Promise<string>
  /** One line of standard input each; asked for at a terminal. */
  readAnswers(questions: readonly Question[]): Promise<readonly string[]>
}
