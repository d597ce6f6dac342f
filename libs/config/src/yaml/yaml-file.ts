import type { ErrorDetail } from '@olytix/errors'
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
} from 'yaml'
import type { z } from 'zod'
import { interpolate } from '../interpolate.js'
import { formatPath, isDeeperThan, shapeProblems } from './shape.js'

type Path = readonly PropertyKey[]
type Environment = Readonly<Record<string, string | undefined>>

const MAX_DEPTH = 60

/** Where something stands in a file; line and column are counted from 1. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** A file's text with its name relative to the project folder. */
export interface ProjectFile {
  readonly path: string
  readonly text: string
}

/** One YAML document that remembers where each of its values stands. */
export class YamlFile {
  private readonly lines = new LineCounter()
  private readonly document: Document.Parsed
  /** Every problem found so far. */
  readonly problems: ErrorDetail[] = []

  constructor(private readonly file: ProjectFile) {
    this.document = parseDocument(file.text, {
      lineCounter: this.lines,
      prettyErrors: false,
      uniqueKeys: true,
      strict: true,
    })
    for (const error of this.document.errors) {
      this.problems.push(problemAt(this.placeOfOffset(error.pos[0]), error.message))
    }
  }

  /** Replaces `${NAME}` in texts, but not below a mapping with `enabled: false` and not under `skip`. */
  interpolate(environment: Environment, skip: readonly string[] = []): void {
    this.interpolateNode(this.document.contents, environment, skip)
  }

  /** The content in its checked shape; `undefined` when there are problems. */
  read<T>(schema: z.ZodType<T>): T | undefined {
    if (this.problems.length > 0) return undefined
    const content = this.content()
    if (this.problems.length > 0) return undefined
    const parsed = schema.safeParse(content, { reportInput: true })
    if (parsed.success) return parsed.data
    for (const { path, message, suggestion, isAboutKey } of shapeProblems(parsed.error)) {
      const place = this.placeOf(path, isAboutKey)
      const where = path.length > 0 ? `${formatPath(path)}: ` : ''
      this.problems.push(problemAt(place, where + message, suggestion))
    }
    return undefined
  }

  /** The value (or key) at a path; the nearest enclosing one when it is missing. */
  placeOf(path: Path, ofKey = false): Place {
    let node: Node | null = this.document.contents
    let keyNode: unknown
    for (const step of path) {
      const next = childOf(node, step)
      if (next === undefined) break
      keyNode = next.key
      node = next.value
    }
    const chosen = ofKey && isNode(keyNode) ? keyNode : (node ?? keyNode)
    return this.placeOfOffset(isNode(chosen) ? (chosen.range?.[0] ?? 0) : 0)
  }

  /** A position inside the text at a path. Exact in block texts and unquoted ones, else the text's beginning. */
  placeInside(path: Path, offset: number): Place {
    const start = this.placeOf(path)
    const node = this.document.getIn(path, true)
    if (!isScalar(node) || typeof node.value !== 'string') return start
    const before = node.value.slice(0, offset).split('\n')
    const column = before.at(-1)?.length ?? 0
    if (node.type === 'BLOCK_LITERAL') {
      const line = start.line + before.length
      return { ...start, line, column: this.indentOf(line) + column + 1 }
    }
    const exact = node.type === 'PLAIN' && this.isVerbatim(node)
    return exact ? { ...start, column: start.column + column } : start
  }

  /** What the file says at a path, as a text of its own: without the indentation that it has there. */
  textAt(path: Path): string {
    const node = this.document.getIn(path, true)
    const [from, to] = (isNode(node) && node.range) || [0, 0]
    const indent = ' '.repeat(this.placeOfOffset(from).column - 1)
    const [first = '', ...rest] = this.file.text.slice(from, to).trimEnd().split('\n')
    const lines = rest.map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line))
    return [first, ...lines, ''].join('\n')
  }

  /** The file without these keys of its outermost mapping and all below them; what is left keeps its places. */
  textWithout(keys: readonly string[]): string {
    const { contents } = this.document
    if (!isMap(contents)) return this.file.text
    if (contents.flow) return this.reprintedWithout(keys)
    return contents.items.reduce((text, { key, value }) => {
      if (!isScalar(key) || !keys.includes(String(key.value))) return text
      const [from] = key.range
      const [, , to] = isNode(value) ? value.range : key.range
      return text.slice(0, from) + text.slice(from, to).replace(/[^\n]/g, ' ') + text.slice(to)
    }, this.file.text)
  }

  private reprintedWithout(keys: readonly string[]): string {
    const document = this.document.clone()
    for (const key of keys) document.delete(key)
    return document.toString()
  }

  private isVerbatim(node: Scalar): boolean {
    const [from, to] = node.range ?? [0, 0]
    return this.file.text.slice(from, to) === node.value
  }

  private indentOf(line: number): number {
    const text = this.file.text.split('\n')[line - 1] ?? ''
    return text.length - text.trimStart().length
  }

  private content(): unknown {
    try {
      const content: unknown = this.document.toJS({ maxAliasCount: 100 })
      if (!isDeeperThan(content, MAX_DEPTH)) return content
      this.problems.push(problemAt(this.placeOfOffset(0), 'is nested too deeply'))
    } catch {
      this.problems.push(problemAt(this.placeOfOffset(0), 'uses an alias that cannot be resolved'))
    }
    return undefined
  }

  private placeOfOffset(offset: number): Place {
    const { line, col } = this.lines.linePos(offset)
    return { file: this.file.path, line: Math.max(line, 1), column: Math.max(col, 1) }
  }

  private interpolateNode(node: unknown, environment: Environment, skip: readonly string[]): void {
    if (isSeq(node)) for (const item of node.items) this.interpolateNode(item, environment, [])
    if (isMap(node) && node.get('enabled') !== false) {
      for (const { key, value } of node.items) {
        if (!(isScalar(key) && skip.includes(String(key.value)))) {
          this.interpolateNode(value, environment, [])
        }
      }
    }
    if (isScalar(node)) this.interpolateScalar(node, environment)
  }

  private interpolateScalar(node: Scalar, environment: Environment): void {
    if (typeof node.value !== 'string') return
    const { text, missing } = interpolate(node.value, environment)
    for (const { name } of missing) {
      const place = this.placeOfOffset(node.range?.[0] ?? 0)
      this.problems.push(problemAt(place, `the environment variable ${name} is not set`))
    }
    node.value = text
  }
}

function childOf(
  node: Node | null,
  step: PropertyKey,
): { key: unknown; value: Node | null } | undefined {
  if (isSeq(node) && typeof step === 'number') {
    const item = node.items[step]
    return isNode(item) ? { key: item, value: item } : undefined
  }
  if (!isMap(node) || isAlias(node)) return undefined
  const pair = node.items.find(({ key }) => isScalar(key) && key.value === step)
  return pair && { key: pair.key, value: isNode(pair.value) ? pair.value : null }
}

/** A problem of a project, in the shape that reaches people. */
export function problemAt(place: Place, message: string, suggestion?: string): ErrorDetail {
  const { file, line, column } = place
  return { path: file, line, column, message, ...(suggestion === undefined ? {} : { suggestion }) }
}
