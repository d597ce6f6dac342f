import { type ErrorDetail, suggest } from '@olytix/errors'

/** Collects what is wrong with a request, so that all of it is reported at once. */
export class Issues {
  readonly found: ErrorDetail[] = []

  /** Adds a problem, once: the same filter is looked at for each cube that it applies to. */
  add(path: string, message: string, suggestion?: string): void {
    if (this.found.some((each) => each.path === path && each.message === message)) return
    this.found.push({ path, message, ...(suggestion === undefined ? {} : { suggestion }) })
  }

  /** A name that is not known; the nearest of those that may be told is suggested. */
  unknown(path: string, message: string, name: string, known: () => Iterable<string>): void {
    this.add(path, message, suggest(name, known()))
  }
}
