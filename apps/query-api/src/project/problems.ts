import { type Place, problemAt, type ProjectFile, quote, type YamlFile } from '@olytix/config/yaml'
import { type ErrorDetail, suggest } from '@olytix/errors'
import { PolicyProblem } from './policy-tokens.js'
import { SqlProblem } from './sql-tree.js'

/** A definition with the place where its file holds it. */
export interface Defined<T> {
  readonly shape: T
  readonly file: YamlFile
  /** Of the definition inside its file: `['cubes', 0]`. */
  readonly path: readonly PropertyKey[]
  /** The cube that takes it over, when it is looked at for that one. */
  readonly heir?: string
}

/** A part of a definition. */
export function part<T>(of: Defined<unknown>, path: readonly PropertyKey[], shape: T): Defined<T> {
  return { shape, file: of.file, path: [...of.path, ...path] }
}

/** Collects what is wrong with a project, so that all of it is reported at once. */
export class Problems {
  readonly found: ErrorDetail[] = []

  at(place: Place, message: string, suggestion?: string): void {
    this.found.push(problemAt(place, message, suggestion))
  }

  /** What is wrong already where it was written is not said again of each heir. */
  private of({ heir }: Defined<unknown>, place: Place, message: string, suggestion?: string): void {
    const { file, line, column } = place
    const isKnown = this.found.some(
      (each) =>
        each.path === file &&
        each.line === line &&
        each.column === column &&
        each.message === message,
    )
    if (heir === undefined) this.at(place, message, suggestion)
    else if (!isKnown)
      this.at(place, `${message}, as cube ${quote(heir)} takes it over`, suggestion)
  }

  /** At a key of a definition, or at the definition. */
  on(
    defined: Defined<unknown>,
    keys: readonly PropertyKey[],
    message: string,
    suggestion?: string,
  ): void {
    const { file, path } = defined
    this.of(defined, file.placeOf([...path, ...keys]), message, suggestion)
  }

  /** A name that is not among those known. */
  unknown(
    of: Defined<unknown>,
    keys: readonly PropertyKey[],
    [what, name]: readonly [string, string],
    known: Iterable<string>,
  ): void {
    this.on(of, keys, `unknown ${what} ${quote(name)}`, suggest(name, known))
  }

  /** Runs a parser on the text at a key; what it finds wrong is reported inside that text. */
  parsing<T>(
    defined: Defined<unknown>,
    keys: readonly PropertyKey[],
    parse: () => T,
  ): T | undefined {
    const { file, path } = defined
    try {
      return parse()
    } catch (error) {
      if (!(error instanceof SqlProblem) && !(error instanceof PolicyProblem)) throw error
      const place = file.placeInside([...path, ...keys], error.offset)
      this.of(defined, place, error.message, error.suggestion)
      return undefined
    }
  }

  /** The same for a file that is parsed as a whole. */
  inFile<T>(file: ProjectFile, parse: () => T): T | undefined {
    try {
      return parse()
    } catch (error) {
      if (!(error instanceof SqlProblem)) throw error
      this.at(placeIn(file, error.offset), error.message, error.suggestion)
      return undefined
    }
  }

  /** Reports the second and further definitions of one name, and gives the first ones. */
  distinct<T extends { readonly name: string }>(
    what: string,
    definitions: readonly Defined<T>[],
  ): Defined<T>[] {
    const seen = new Map<string, Defined<T>>()
    for (const definition of definitions) {
      const { name } = definition.shape
      const first = seen.get(name)
      if (first) {
        const { file, line } = first.file.placeOf([...first.path, 'name'])
        this.on(
          definition,
          ['name'],
          `${what} ${quote(name)} is defined in ${file}:${String(line)}`,
        )
      } else {
        seen.set(name, definition)
      }
    }
    return [...seen.values()]
  }
}

function placeIn({ path, text }: ProjectFile, offset: number): Place {
  const before = text.slice(0, offset).split('\n')
  return { file: path, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}

/** `order_count` as people write it: "Order count". */
export function titleOf(name: string): string {
  const words = name.replaceAll('_', ' ').trim()
  return words.charAt(0).toUpperCase() + words.slice(1)
}
