import { parseSync } from 'libpg-query'
import { z } from 'zod'
import { StepFailure } from './run-step.js'

const Parsed = z.object({
  stmts: z.array(z.object({ stmt: z.record(z.string(), z.unknown()) })),
})
const Setting = z.object({ name: z.string().optional() })

const OTHER_ROLES = new Set(['role', 'session_authorization'])

/**
 * A hook is one statement that stays in the transaction and in the role of the build.
 * @throws StepFailure
 */
export function checkHook(text: string): void {
  const statements = parse(text)
  const [[kind = '', content = {}] = []] = statements.map(
    (each) => Object.entries(each.stmt)[0] ?? [],
  )
  if (statements.length !== 1) throw new StepFailure('a hook is one statement')
  if (kind === 'TransactionStmt') {
    throw new StepFailure('a hook may not begin or end transactions')
  }
  if (kind === 'VariableSetStmt' && OTHER_ROLES.has(Setting.parse(content).name ?? '')) {
    throw new StepFailure('a hook may not change who it runs as')
  }
}

function parse(text: string) {
  try {
    return Parsed.parse(parseSync(text)).stmts
  } catch {
    throw new StepFailure('a hook is not SQL')
  }
}
