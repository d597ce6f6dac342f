/** The comment that says who made a table or view, and for which run: only what carries it is ever replaced. */
export interface BuildMark {
  /** `model orders` */
  readonly what: string
  readonly project: string
  readonly runId: string
  /** Of a view null. */
  readonly rows: number | null
}

const MARK =
  /^olytix: (?<what>\w+ \S+) of (?<project>.+), (?<run>run_[0-9a-z]+)(?:, (?<rows>\d+) rows)?$/

export function markText({ what, project, runId, rows }: BuildMark): string {
  const counted = rows === null ? '' : `, ${String(rows)} rows`
  return `olytix: ${what} of ${project}, ${runId}${counted}`
}

/** `undefined`: not ours. */
export function readMark(comment: string | null): BuildMark | undefined {
  const found = MARK.exec(comment ?? '')?.groups
  const { what, project, run: runId, rows } = found ?? {}
  if (what === undefined || project === undefined || runId === undefined) return undefined
  return { what, project, runId, rows: rows === undefined ? null : Number(rows) }
}
