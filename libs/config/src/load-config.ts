import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { isKnownSecret } from './known-secret.js'
import { Secret } from './secret.js'

type Environment = Readonly<Record<string, string | undefined>>

/** Settings of a process that are missing or break their rule. Says which and why, never the value. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(
      `The configuration is not usable:\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
    )
    this.name = 'ConfigError'
  }
}

/**
 * Settings from environment variables, checked and deeply frozen. The schema's keys are the variables' names.
 * For each `X`, `X_FILE` may name a file that holds the value (a final newline does not count). Empty means unset.
 * @throws ConfigError that lists every bad key at once.
 */
export function loadConfig<T extends z.ZodRawShape>(
  schema: z.ZodObject<T>,
  environment: Environment,
): Readonly<z.output<z.ZodObject<T>>> {
  const problems: string[] = []
  const input: Record<string, string> = {}
  for (const key of Object.keys(schema.shape)) {
    const value = readSetting(key, environment, problems)
    if (value !== undefined) input[key] = value
  }
  const parsed = schema.safeParse(input, { reportInput: false })
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      problems.push(`${issue.path.join('.')}: ${issue.message}`)
    }
  }
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems)
  return deepFreeze(parsed.data)
}

function readSetting(
  key: string,
  environment: Environment,
  problems: string[],
): string | undefined {
  const value = environment[key]
  const file = environment[`${key}_FILE`]
  if (value && file) problems.push(`${key}: set either ${key} or ${key}_FILE, not both`)
  if (value) return value
  if (!file) return undefined
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '')
  } catch {
    problems.push(`${key}_FILE: cannot read ${file}`)
    return undefined
  }
}

/** Freezes plain objects and arrays all the way down; class instances are left as they are. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== Array.prototype && prototype !== null) {
    return value
  }
  for (const child of Object.values(value)) deepFreeze(child)
  return Object.freeze(value)
}

/** A secret setting of any length. */
export function secret(): z.ZodType<Secret, string> {
  return z
    .string()
    .min(1)
    .transform((text) => new Secret(text))
}

/** A secret that protects others: at least 32 bytes, not an unexpanded `${NAME}`, neither regular nor a known sample. */
export function strongSecret(): z.ZodType<Secret, string> {
  return z
    .string()
    .refine((text) => !/^\$\{.*\}$/.test(text), 'holds an unexpanded ${…}')
    .refine((text) => Buffer.byteLength(text) >= 32, 'must be at least 32 bytes long')
    .refine((text) => new Set(text).size >= 8, 'is too regular to be a secret')
    .refine((text) => !isKnownSecret(text), 'is built from a sample that everybody knows')
    .transform((text) => new Secret(text))
}

/** A TCP port; 0 picks a free one. */
export function port(): z.ZodType<number, string> {
  return z
    .string()
    .regex(/^\d{1,5}$/, 'must be a port from 0 to 65535')
    .transform(Number)
    .refine((value) => value <= 65535, 'must be a port from 0 to 65535')
}

/** `true` or `false`. */
export function flag(): z.ZodType<boolean, string> {
  return z.enum(['true', 'false']).transform((text) => text === 'true')
}

/** A comma-separated list without empty entries. */
export function list(): z.ZodType<readonly string[], string> {
  return z.string().transform((text) =>
    text
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
  )
}

/** Whether a listening address can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}
