/** Something that the person who starts the stack can put right. Its message is shown as it is, without a stack. */
export class StackError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'StackError'
  }
}
