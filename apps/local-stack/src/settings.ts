import path from 'node:path'
import { loadConfig, port, secret, type Secret } from '@olytix/config'
import { z } from 'zod'

const postgresUrl = (): z.ZodType<Secret, string> =>
  z
    .string()
    .refine(
      (text) => /^postgres(ql)?:$/.test(parse(text)?.protocol ?? '') && parse(text)?.hostname,
      'must look like postgres://user:password@host:5432/database',
    )
    .pipe(secret())

/** What `npm start` itself reads from the environment. The services read the rest: they inherit it. */
export const LauncherVariables = z.object({
  OLYTIX_STATE_DIR: z
    .string()
    .default('.olytix')
    .describe('Folder for data, secrets, logs and the CLI profile of this stack; mode 0700'),
  OLYTIX_HTTP__HOST: z.string().default('127.0.0.1').describe('Address of the REST API'),
  OLYTIX_HTTP__PORT: port().prefault('8000').describe('Port of the REST API; 0 picks a free one'),
  OLYTIX_IDENTITY__HOST: z.string().default('127.0.0.1').describe('Address of identity'),
  OLYTIX_IDENTITY__PORT: port().prefault('50051').describe('Port of identity; 0 picks a free one'),
  OLYTIX_POSTGRES__URL: postgresUrl()
    .optional()
    .describe(
      'Use this server instead of the embedded one, as a role that may create databases and roles',
    ),
  OLYTIX_WAREHOUSE__URL: postgresUrl()
    .optional()
    .describe('Query this database instead of the embedded warehouse; no example is loaded'),
  OLYTIX_PROJECT_PATH: z
    .string()
    .optional()
    .describe('Folder with olytix-core_project.yml; examples/superstore if unset'),
  OLYTIX_BOOTSTRAP__ADMIN_EMAIL: z.email().optional().describe('First admin; made up if unset'),
  OLYTIX_BOOTSTRAP__ADMIN_PASSWORD: secret().optional().describe('First admin; made up if unset'),
  OLYTIX_BOOTSTRAP__ADMIN_API_KEY: secret().optional().describe('First admin; made up if unset'),
  OLYTIX_SECURITY__MASTER_KEY: secret()
    .optional()
    .describe('Seals signing keys; made up and kept in the state folder if unset'),
  OLYTIX_MASKING__KEY: secret()
    .optional()
    .describe('Key of `mask: hash`; made up and kept in the state folder if unset'),
})

/** Settings of one stack; paths are absolute. */
export interface Settings {
  readonly root: string
  readonly stateDir: string
  readonly projectPath: string
  readonly http: { readonly host: string; readonly port: number }
  readonly identity: { readonly host: string; readonly port: number }
  readonly postgresUrl: Secret | undefined
  readonly warehouseUrl: Secret | undefined
  readonly given: GivenSecrets
  /** The whole environment, handed on to the services. */
  readonly environment: NodeJS.ProcessEnv
}

/** Secrets that the environment may set; the others are made up. */
export interface GivenSecrets {
  readonly adminEmail: string | undefined
  readonly adminPassword: Secret | undefined
  readonly adminApiKey: Secret | undefined
  readonly masterKey: Secret | undefined
  readonly maskingKey: Secret | undefined
}

/**
 * Settings from the environment.
 * @param root the workspace: defaults are relative to it, what the environment names is relative to the current folder
 * @throws ConfigError
 */
export function readSettings(environment: NodeJS.ProcessEnv, root: string): Settings {
  const read = loadConfig(LauncherVariables, environment)
  const project = read.OLYTIX_PROJECT_PATH
  return {
    root,
    stateDir: environment['OLYTIX_STATE_DIR']
      ? path.resolve(read.OLYTIX_STATE_DIR)
      : path.join(root, read.OLYTIX_STATE_DIR),
    projectPath: project ? path.resolve(project) : path.join(root, 'examples/superstore'),
    http: { host: read.OLYTIX_HTTP__HOST, port: read.OLYTIX_HTTP__PORT },
    identity: { host: read.OLYTIX_IDENTITY__HOST, port: read.OLYTIX_IDENTITY__PORT },
    postgresUrl: read.OLYTIX_POSTGRES__URL,
    warehouseUrl: read.OLYTIX_WAREHOUSE__URL,
    given: {
      adminEmail: read.OLYTIX_BOOTSTRAP__ADMIN_EMAIL,
      adminPassword: read.OLYTIX_BOOTSTRAP__ADMIN_PASSWORD,
      adminApiKey: read.OLYTIX_BOOTSTRAP__ADMIN_API_KEY,
      masterKey: read.OLYTIX_SECURITY__MASTER_KEY,
      maskingKey: read.OLYTIX_MASKING__KEY,
    },
    environment,
  }
}

function parse(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined
}
