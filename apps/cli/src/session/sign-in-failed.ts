/** A sign-in by way of the browser came to nothing. The message names no more than we know for certain. */
export class SignInFailed extends Error {
  constructor(
    message: string,
    /** What the person may try. */
    readonly hint: string,
    /** Whether it was for want of an answer and not of consent: another try may do. */
    readonly isUnreachable = false,
  ) {
    super(message)
    this.name = 'SignInFailed'
  }
}
