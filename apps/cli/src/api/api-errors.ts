import type { ErrorDetail } from '@olytix/errors'

/** The server answered with an error. `code` and `message` are the server's own. */
export class ApiRefusal extends Error {
  /** What the person may try, where a command knows better than the server. */
  hint: string | undefined

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: readonly ErrorDetail[],
  ) {
    super(message)
    this.name = 'ApiRefusal'
  }
}

/** Nobody answered, or something that is not Olytix Core did. */
export class ServerUnreachable extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'ServerUnreachable'
  }
}
