import type { TextRows } from '@olytix/postgres'

/** A column of an answer: the key that its values have, and the granularity if they are periods. */
export interface ResultColumn {
  readonly key: string
  readonly granularity?: string | undefined
}

export type TextRow = TextRows['rows'][number]

/** A piece of an answer's body. */
export type Chunk = string | Uint8Array

/** Writes the body of one answer, piece after piece. */
export interface RowWriter {
  readonly head: Chunk
  readonly rows: (rows: readonly TextRow[]) => Chunk
  readonly end: () => Chunk
}

/** How rows are written one after another. */
export interface RowFormat {
  readonly mediaType: string
  /** Begins an answer of these columns. */
  readonly open: (
    columns: readonly ResultColumn[],
    fields: TextRows['fields'],
  ) => RowWriter | Promise<RowWriter>
}
