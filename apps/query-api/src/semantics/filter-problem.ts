/** What is wrong with a filter, and at which of its keys. */
export class FilterProblem extends Error {
  constructor(
    readonly key: 'operator' | 'value' | 'last',
    message: string,
    readonly suggestion?: string,
    /** Which value of a list. */
    readonly index?: number,
  ) {
    super(message)
  }
}
