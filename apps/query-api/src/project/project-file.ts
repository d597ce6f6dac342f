import { Secret } from '@olytix/config'
import { type ProjectFile, YamlFile } from '@olytix/config/yaml'
import type { ErrorDetail } from '@olytix/errors'
import { projectShape, type ProjectShape } from './definition-schemas.js'
import type { Defined } from './problems.js'

export const PROJECT_FILE = 'olytix-core_project.yml'

type Environment = Readonly<Record<string, string | undefined>>

/** What the project file says; `undefined` after problems. The providers under `security` are identity's alone. */
export function readProjectFile(
  file: ProjectFile,
  environment: Environment,
): { readonly settings: Defined<ProjectShape> | undefined; readonly problems: ErrorDetail[] } {
  const yaml = new YamlFile(file)
  yaml.interpolate(environment, ['security'])
  const settings = yaml.read(projectShape)
  return {
    settings: settings && { shape: settings, file: yaml, path: [] },
    problems: yaml.problems,
  }
}

/** The project file without what only processes need, which may hold passwords. */
export function withoutConnections({ path, text }: ProjectFile): ProjectFile {
  return { path, text: new YamlFile({ path, text }).textWithout(['security', 'warehouse']) }
}

/** Of `warehouse:`, if it names a database. */
export function warehouseUrlOf({ warehouse }: ProjectShape): Secret | undefined {
  if (warehouse?.url !== undefined) return new Secret(warehouse.url)
  if (warehouse?.host === undefined) return undefined
  const url = new URL(`postgres://${warehouse.host}`)
  url.port = String(warehouse.port ?? 5432)
  url.username = encodeURIComponent(warehouse.user ?? '')
  url.password = encodeURIComponent(warehouse.password ?? '')
  url.pathname = `/${encodeURIComponent(warehouse.database ?? '')}`
  if (warehouse.sslmode) url.searchParams.set('sslmode', warehouse.sslmode)
  return new Secret(url.href)
}
