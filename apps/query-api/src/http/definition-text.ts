import type { Principal } from '@olytix/auth-guards'
import type { Project } from '../project/project.js'
import { isOpenTo } from '../query/open-definitions.js'

/** Who may not see all of what a definition speaks of is not shown its text, nor what it was or how it differs. */
export function shownText(
  project: Project,
  principal: Principal,
  { text, ...definition }: { readonly kind: string; readonly name: string; readonly text: string },
) {
  const isOpen = principal.scopes.includes('admin') || isOpenTo(project, principal, definition)
  return { text: isOpen ? text : null, redacted: !isOpen }
}
