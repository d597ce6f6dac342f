import type { ErrorDetail } from '@olytix/errors'
import { renderJson } from './json.js'
import { printable } from './printable.js'

/** Why a command did not do what it was asked. */
export interface Problem {
  readonly code: string
  readonly message: string
  readonly details?: readonly ErrorDetail[]
  /** What the person may try. */
  readonly hint?: string | undefined
}

/** A problem as people read it, or in the shape of the API's errors. */
export function renderProblem(problem: Problem, asJson: boolean): string {
  const { code, message, details = [], hint } = problem
  if (asJson) {
    return renderJson({ error: { code, message, ...(details.length > 0 ? { details } : {}) } })
  }
  const lines = [`error: ${message}`, ...detailLines(message, details), ...(hint ? [hint] : [])]
  return lines.map((line) => `${printable(line)}\n`).join('')
}

/** A message that already tells of the only detail is not followed by the same once more. */
function detailLines(message: string, details: readonly ErrorDetail[]): string[] {
  const [only, ...more] = details
  if (only && more.length === 0 && message.includes(only.message)) {
    return only.suggestion ? [`  did you mean ${only.suggestion}?`] : []
  }
  return details.map((detail) => {
    const place = [detail.path, detail.line, detail.column].filter(Boolean).join(':')
    const meant = detail.suggestion ? `; did you mean ${detail.suggestion}?` : ''
    return `  ${place ? `${place}: ` : ''}${detail.message}${meant}`
  })
}
