import type { Principal } from '@olytix/auth-guards'
import type { Project, TableName } from '../project/project.js'

/**
 * Whether a principal is told how many rows a step wrote and what went wrong. With `write` alone nobody is: a model could
 * be written so that either tells of data. Policies close to everybody but admins what a run could tell of.
 */
export function mayLearn(
  project: Project,
  { scopes }: Principal,
  tables: readonly TableName[] | undefined,
): boolean {
  if (scopes.includes('admin')) return true
  const isRuled = project.policies.length + project.masking.length > 0
  return scopes.includes('read') && tables !== undefined && !isRuled
}
