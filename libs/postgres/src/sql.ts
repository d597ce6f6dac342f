/** A statement ready to send: text with `$1 …` and the values for them. */
export interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
}

/** A piece of SQL that composes with others inside `sql`. Holds its values apart from its text. */
export class Sql {
  constructor(
    private readonly strings: readonly string[],
    private readonly parts: readonly unknown[],
    /** Set for a statement that each connection plans but once. */
    readonly preparedName?: string,
    /** Set for a statement whose answer is awaited but so long. */
    readonly timeoutMs?: number,
  ) {}

  /** The same statement, planned once per connection and found again by this name: for hot paths of fixed text. */
  preparedAs(name: string): Sql {
    return new Sql(this.strings, this.parts, name, this.timeoutMs)
  }

  /**
   * The same statement, given up with UNAVAILABLE when its answer is not here in time, as on a connection whose other end
   * is gone. Nobody tells the server: for statements that read.
   */
  within(timeoutMs: number): Sql {
    return new Sql(this.strings, this.parts, this.preparedName, timeoutMs)
  }

  /** Numbers the values from `$1` on, pieces within pieces included. */
  toStatement(): Statement {
    const values: unknown[] = []
    return { text: this.render(values), values }
  }

  private render(values: unknown[]): string {
    return this.strings.reduce((text, string, index) => {
      if (index === 0) return string
      const part = this.parts[index - 1]
      if (part instanceof Sql) return text + part.render(values) + string
      return `${text}$${String(values.push(part))}${string}`
    }, '')
  }
}

/** Tag for SQL: each interpolated value becomes a parameter, each `Sql` is put in its place as it is. */
export function sql(strings: TemplateStringsArray, ...parts: unknown[]): Sql {
  return new Sql(strings, parts)
}

/** A quoted identifier; several give a qualified name: `ident('raw', 'orders')` is `"raw"."orders"`. */
export function ident(...names: readonly string[]): Sql {
  if (names.some((name) => name === '' || name.includes('\0'))) {
    throw new Error('an identifier is neither empty nor holds NUL')
  }
  return trusted(names.map((name) => `"${name.replaceAll('"', '""')}"`).join('.'))
}

/** SQL text that we wrote or printed ourselves; never anything that came from a request. */
export function trusted(text: string): Sql {
  return new Sql([text], [])
}

/** Joins pieces with a separator: `joinSql(conditions, ' and ')`. No pieces give nothing. */
export function joinSql(pieces: readonly Sql[], separator: string): Sql {
  if (pieces.length === 0) return trusted('')
  const between = Array.from({ length: pieces.length - 1 }, () => separator)
  return new Sql(['', ...between, ''], pieces)
}
