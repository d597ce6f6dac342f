import type { Data, DataType } from 'apache-arrow'
import { toDays, toMicroseconds } from './arrow-time.js'
import { kindOf, type ValueKind } from './column-types.js'
import type { ResultColumn, RowFormat, TextRow } from './result-column.js'

type Arrow = typeof import('apache-arrow')
type Cells = readonly (string | null)[]

/** How a column travels: its type, and its cells as that type's buffers. */
interface ColumnCodec {
  readonly type: DataType
  readonly encode: (cells: Cells) => Data
}

/**
 * Arrow's IPC stream, a record batch for each batch of rows. `numeric`, whose scale nobody knows beforehand and which
 * may be NaN, travels as its exact text unless doubles are asked for. Days and longer periods are dates, shorter ones
 * timestamps. The library is loaded by the first who asks.
 */
export function arrowFormat(isNumericDouble: boolean): RowFormat {
  return {
    mediaType: 'application/vnd.apache.arrow.stream',
    open: async (columns, fields) => {
      const arrow = await import('apache-arrow')
      const codecs = columns.map((column, index) => {
        const kind = travelsAs(column, kindOf(fields[index]?.typeOid ?? 0))
        const isDouble = kind === 'float' || (isNumericDouble && kind === 'numeric')
        return { key: column.key, ...codecFor(arrow, isDouble ? 'float' : kind) }
      })
      const schema = new arrow.Schema(
        codecs.map(({ key, type }) => new arrow.Field(key, type, true)),
      )
      const sink = new (sinkOf(arrow))()
      const writer = new arrow.RecordBatchStreamWriter()
      writer.reset(sink, schema)
      const struct = new arrow.Struct(schema.fields)
      return {
        head: sink.take(),
        rows: (rows) => {
          const children = codecs.map(({ encode }, index) => encode(cellsOf(rows, index)))
          const data = arrow.makeData({ type: struct, length: rows.length, nullCount: 0, children })
          writer.write(new arrow.RecordBatch(schema, data))
          return sink.take()
        },
        end: () => {
          writer.finish()
          return sink.take()
        },
      }
    },
  }
}

/** A writer's output, taken piece by piece so that nothing waits where nobody counts it. */
function sinkOf({ AsyncByteQueue }: Arrow) {
  return class extends AsyncByteQueue {
    private pieces: Uint8Array[] = []

    override write(piece: Uint8Array): void {
      this.pieces.push(piece)
    }

    take(): Uint8Array {
      const taken = Buffer.concat(this.pieces)
      this.pieces = []
      return taken
    }
  }
}

const DATED: ReadonlySet<string> = new Set(['day', 'week', 'month', 'quarter', 'year'])

function travelsAs({ granularity }: ResultColumn, kind: ValueKind): ValueKind {
  const isTime = kind === 'date' || kind === 'timestamp' || kind === 'timestamptz'
  return isTime && granularity !== undefined && DATED.has(granularity) ? 'date' : kind
}

function codecFor(arrow: Arrow, kind: ValueKind): ColumnCodec {
  switch (kind) {
    case 'boolean':
      return booleans(arrow)
    case 'int32':
      return fixed(arrow, new arrow.Int32(), Int32Array, Number)
    case 'int64':
      return fixed(arrow, new arrow.Int64(), BigInt64Array, BigInt)
    case 'float':
      return fixed(arrow, new arrow.Float64(), Float64Array, Number)
    case 'date':
      return fixed(arrow, new arrow.DateDay(), Int32Array, toDays)
    case 'timestamp':
      return fixed(arrow, new arrow.TimestampMicrosecond(), BigInt64Array, toMicroseconds)
    case 'timestamptz':
      return fixed(arrow, new arrow.TimestampMicrosecond('UTC'), BigInt64Array, toMicroseconds)
    case 'numeric':
    case 'text':
      return texts(arrow)
  }
}

/** Values of a fixed width. */
function fixed<T extends number | bigint>(
  arrow: Arrow,
  type: DataType,
  Values: new (length: number) => { [index: number]: T },
  parse: (text: string) => T,
): ColumnCodec {
  const encode = (cells: Cells): Data => {
    const data = new Values(cells.length)
    for (const [index, cell] of cells.entries()) if (cell !== null) data[index] = parse(cell)
    return dataOf(arrow, type, cells, { data })
  }
  return { type, encode }
}

function booleans(arrow: Arrow): ColumnCodec {
  const type = new arrow.Bool()
  const encode = (cells: Cells): Data => {
    return dataOf(arrow, type, cells, { data: bitmap(cells, (cell) => cell === 't') })
  }
  return { type, encode }
}

function texts(arrow: Arrow): ColumnCodec {
  const type = new arrow.Utf8()
  const encode = (cells: Cells): Data => {
    const offsets = new Int32Array(cells.length + 1)
    const data = Buffer.alloc(cells.reduce((sum, cell) => sum + Buffer.byteLength(cell ?? ''), 0))
    let end = 0
    for (const [index, cell] of cells.entries()) {
      end += data.write(cell ?? '', end)
      offsets[index + 1] = end
    }
    return dataOf(arrow, type, cells, { offsets, data })
  }
  return { type, encode }
}

interface Buffers {
  readonly data: unknown
  readonly offsets?: Int32Array
}

function dataOf(arrow: Arrow, type: DataType, cells: Cells, { data, offsets }: Buffers): Data {
  const nullCount = cells.filter((cell) => cell === null).length
  const { DATA, OFFSET, VALIDITY } = arrow.BufferType
  return new arrow.Data(type, 0, cells.length, nullCount, {
    [DATA]: data,
    ...(offsets && { [OFFSET]: offsets }),
    ...(nullCount > 0 && { [VALIDITY]: bitmap(cells, (cell) => cell !== null) }),
  })
}

/** A bit for each cell, the lowest first. */
function bitmap(cells: Cells, isSet: (cell: string | null) => boolean): Uint8Array {
  const bits = Buffer.alloc(Math.ceil(cells.length / 8))
  for (const [index, cell] of cells.entries()) {
    if (isSet(cell)) bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7))
  }
  return bits
}

function cellsOf(rows: readonly TextRow[], index: number): Cells {
  return rows.map((row) => row[index] ?? null)
}
