import type { Explanation } from '../api/answers.js'
import { renderFields, renderTable } from '../output/table.js'

const COLUMNS = ['cube', 'policy', 'serves', 'rows', 'asks for', 'row limit']

/** What applies to a question, for people. */
export function renderExplanation(explanation: Explanation): string {
  const { principal, cubes = [], masks = [], joins = [], cache } = explanation
  const head = renderFields([
    ['principal', principal.email ?? principal.id],
    ['roles', principal.roles.join(', ')],
    ['decision', explanation.decision],
    ...(explanation.denial_reason ? [['reason', explanation.denial_reason] as const] : []),
    ...(joins.length > 0 ? [['joins', joins.map(arrow).join(', ')] as const] : []),
    ...(cache ? [['cache', cacheText(cache)] as const] : []),
  ])
  if (explanation.decision !== 'allowed') return head
  const policies = renderTable(
    COLUMNS.map((title) => ({ title })),
    cubes.flatMap(rowsOf),
  )
  const masked = masks.map(
    ({ member, policy, mask }) => `${member} is masked by ${policy}: ${mask}\n`,
  )
  return `${head}\n${policies}${masked.length > 0 ? `\n${masked.join('')}` : ''}`
}

function arrow({ from, to }: { readonly from: string; readonly to: string }): string {
  return `${from} → ${to}`
}

function cacheText(cache: NonNullable<Explanation['cache']>): string {
  const { state, ttl_ms: ttlMs, age_ms: ageMs } = cache
  const age = ageMs ? `, ${seconds(ageMs)} old` : ''
  return ttlMs ? `${state}${age}, for ${seconds(ttlMs)} each` : state
}

function seconds(ms: NonNullable<NonNullable<Explanation['cache']>['ttl_ms']>): string {
  return `${String(Math.round(Number(ms) / 1000))} s`
}

function rowsOf({ name, policies }: NonNullable<Explanation['cubes']>[number]): string[][] {
  if (policies.length === 0) return [[name, 'none: open', '', 'all', '', '']]
  return policies.map((policy) => [
    name,
    policy.name,
    policy.serves.join(', '),
    policy.filters_rows ? 'some' : 'all',
    policy.attributes.map((attribute) => `$user.${attribute}`).join(', '),
    policy.row_limit?.toString() ?? '',
  ])
}
