import type { ApiClient } from '../api/api-client.js'

/** What a command may use. */
export interface CommandContext {
  /** Under `--json`. */
  readonly asJson: boolean
  /** The server that flags, environment or profile name. @throws ProfileError */
  api(): Promise<ApiClient>
  print(text: string): void
  printJson(value: unknown): void
  /** Prints `value` as JSON under `--json`, else what `forPeople` makes of it. */
  answer(value: unknown, forPeople: () => string): void
  /** From standard input; asked for without echo at a terminal. */
  readSecret(prompt: string): Promise<string>
}
