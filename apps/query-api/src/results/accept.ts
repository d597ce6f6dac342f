import { AppError } from '@olytix/errors'
import { arrowFormat } from './arrow-rows.js'
import type { RowFormat } from './result-column.js'
import { CSV, CSV_WITHOUT_FORMULAS, NDJSON } from './text-rows.js'

type Parameters = ReadonlyMap<string, string>

/** Media types by the preference that decides between equals, with what their parameters choose. */
const OFFERS: Readonly<Record<string, (parameters: Parameters) => RowFormat | undefined>> = {
  'application/json': () => undefined,
  'text/csv': (parameters) => {
    return chosen(parameters, 'escape', { none: CSV, formulas: CSV_WITHOUT_FORMULAS }, CSV)
  },
  'application/x-ndjson': () => NDJSON,
  'application/vnd.apache.arrow.stream': (parameters) => {
    const [exact, asDouble] = [arrowFormat(false), arrowFormat(true)]
    return chosen(parameters, 'numeric', { text: exact, float64: asDouble }, exact)
  },
}

/** One media range of an Accept header. */
interface Range {
  readonly type: string
  readonly quality: number
  readonly parameters: Parameters
}

/**
 * The format that an Accept header prefers (RFC 9110 §12.5.1: by quality, then the more exact range, then the earlier
 * one); `undefined` for JSON, or for anything.
 * @throws AppError NOT_ACCEPTABLE when it accepts nothing that we can write
 */
export function formatFor(accept = '*/*'): RowFormat | undefined {
  const ranges = accept.split(',').map(parseRange)
  const found = Object.keys(OFFERS).flatMap((offer) => {
    const matching = ranges.filter(({ type }) => matches(type, offer))
    const best = matching.toSorted((a, b) => exactness(b) - exactness(a))[0]
    return best && best.quality > 0 ? [{ offer, best }] : []
  })
  const [preferred] = found.toSorted(
    ({ best: a }, { best: b }) =>
      b.quality - a.quality || exactness(b) - exactness(a) || ranges.indexOf(a) - ranges.indexOf(b),
  )
  if (!preferred) {
    throw new AppError('NOT_ACCEPTABLE', `Accept one of ${Object.keys(OFFERS).join(', ')}`)
  }
  return OFFERS[preferred.offer]?.(preferred.best.parameters)
}

function parseRange(text: string): Range {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim().toLowerCase())
  const parameters = new Map(
    rest.map((parameter): [string, string] => {
      const [name = '', value = ''] = parameter.split('=')
      return [name, value.replaceAll('"', '')]
    }),
  )
  const quality = Number(parameters.get('q') ?? '1')
  return { type, parameters, quality: Number.isNaN(quality) ? 0 : quality }
}

function matches(range: string, offer: string): boolean {
  return range === offer || range === '*/*' || range === `${offer.split('/')[0] ?? ''}/*`
}

function exactness({ type }: Range): number {
  if (type === '*/*') return 0
  return type.endsWith('/*') ? 1 : 2
}

function chosen(
  parameters: Parameters,
  name: string,
  choices: Readonly<Record<string, RowFormat>>,
  otherwise: RowFormat,
): RowFormat {
  const value = parameters.get(name)
  if (value === undefined) return otherwise
  const choice = Object.hasOwn(choices, value) ? choices[value] : undefined
  if (choice) return choice
  const names = Object.keys(choices).join(' or ')
  throw new AppError('NOT_ACCEPTABLE', `The parameter ${name} of Accept is ${names}`)
}
