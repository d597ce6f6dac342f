import { readFile } from 'node:fs/promises'
import { YamlFile } from '@olytix/config/yaml'
import { z } from 'zod'

const rule = z.looseObject({ name: z.string() })
const shape = z.looseObject({
  policies: z.array(rule).default([]),
  masking: z.array(rule).default([]),
})

/** A policy of a file: its name and what it says. */
export type PolicyContent = z.output<typeof rule>

/**
 * The policies of a file as a project has them below `policies/`. What each of them says is the server's to check.
 * @throws Error that says what is wrong with the file, and where
 */
export async function readPolicyFile(path: string): Promise<readonly PolicyContent[]> {
  const file = new YamlFile({ path, text: await readText(path) })
  const content = file.read(shape)
  const [problem] = file.problems
  if (problem) throw new Error(`${path}:${String(problem.line)}: ${problem.message}`)
  const rules = [...(content?.policies ?? []), ...(content?.masking ?? [])]
  if (rules.length > 0) return rules
  throw new Error(
    `${path} has neither policies: nor masking:, as a file of a project's policies/ has`,
  )
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch {
    throw new Error(`${path} cannot be read`)
  }
}
