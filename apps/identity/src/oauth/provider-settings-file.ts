import { readFileSync } from 'node:fs'
import path from 'node:path'
import { ConfigError, deepFreeze } from '@olytix/config'
import { YamlFile } from '@olytix/config/yaml'
import type { ErrorDetail } from '@olytix/errors'
import { z } from 'zod'
import { oauthSchema } from './provider-schema.js'
import type { OAuthSettings } from './provider-settings.js'

const FILE = 'olytix-core_project.yml'

export interface OAuthSettingsSource {
  /** The folder with `olytix-core_project.yml`; without it there are no providers. */
  readonly projectPath: string | undefined
  /** Where `${NAME}` comes from. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Whether addresses of providers may be http://. */
  readonly allowPrivateAddresses: boolean
}

const outline = z.looseObject({
  security: z
    .looseObject({ oauth: z.looseObject({ enabled: z.unknown().optional() }).nullish() })
    .nullish(),
})

/**
 * The block `security.oauth` of a project, checked and frozen. The rest of the file is query-api's alone; with
 * `enabled: false` or without the block there are no providers.
 * @throws ConfigError with file, line and column of each problem, never with a value
 */
export function readOAuthSettings(source: OAuthSettingsSource): OAuthSettings {
  if (source.projectPath === undefined) return noProviders(source)
  const yaml = new YamlFile({ path: FILE, text: readProject(source.projectPath) })
  const content = demand(yaml, yaml.read(outline))
  const oauth = content.security?.oauth
  if (!oauth || oauth.enabled === false) return noProviders(source)
  const others = Object.keys(content).filter((key) => key !== 'security')
  yaml.interpolate(source.environment, others)
  return deepFreeze(
    demand(yaml, yaml.read(projectSchema(source.allowPrivateAddresses))).security.oauth,
  )
}

function projectSchema(
  allowPrivateAddresses: boolean,
): z.ZodType<{ security: { oauth: OAuthSettings } }> {
  const oauth = oauthSchema(allowPrivateAddresses)
  return z.looseObject({ security: z.looseObject({ oauth }) })
}

function noProviders(source: OAuthSettingsSource): OAuthSettings {
  return deepFreeze(oauthSchema(source.allowPrivateAddresses).parse({}))
}

function readProject(folder: string): string {
  try {
    return readFileSync(path.join(folder, FILE), 'utf8')
  } catch {
    throw new ConfigError([`OLYTIX_PROJECT_PATH: there is no readable ${FILE} in it`])
  }
}

function demand<T>(yaml: YamlFile, content: T | undefined): T {
  if (content !== undefined && yaml.problems.length === 0) return content
  throw new ConfigError(yaml.problems.map(line))
}

function line({ path, line, column, message, suggestion }: ErrorDetail): string {
  const hint = suggestion === undefined ? '' : ` (did you mean ${suggestion}?)`
  return `${path}:${String(line)}:${String(column)}: ${message}${hint}`
}
