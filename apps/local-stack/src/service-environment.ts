import type { DatabaseUrls } from './databases.js'
import type { StackSecrets } from './secrets.js'
import type { Settings } from './settings.js'

/** Variables that the launcher decides for its services, or that are none of a service's business. */
const WITHHELD = /^OLYTIX_(POSTGRES|BOOTSTRAP|DATABASE|MASKING)__|^OLYTIX_SECURITY__MASTER_KEY/

export function identityEnvironment(
  { environment, identity, projectPath }: Settings,
  secrets: StackSecrets,
  { owner, service }: DatabaseUrls['identity'],
): NodeJS.ProcessEnv {
  return {
    ...inherited(environment),
    OLYTIX_IDENTITY__HOST: identity.host,
    OLYTIX_IDENTITY__PORT: String(identity.port),
    OLYTIX_DATABASE__URL: service,
    OLYTIX_DATABASE__OWNER_URL: owner,
    OLYTIX_SECURITY__MASTER_KEY: secrets.masterKey,
    OLYTIX_BOOTSTRAP__ADMIN_EMAIL: secrets.adminEmail,
    OLYTIX_BOOTSTRAP__ADMIN_PASSWORD: secrets.adminPassword,
    OLYTIX_BOOTSTRAP__ADMIN_API_KEY: secrets.adminApiKey,
    OLYTIX_PROJECT_PATH: projectPath,
  }
}

export function queryApiEnvironment(
  { environment, http, projectPath }: Settings,
  secrets: StackSecrets,
  {
    identityAddress,
    databases,
  }: { readonly identityAddress: string; readonly databases: DatabaseUrls },
): NodeJS.ProcessEnv {
  return {
    OLYTIX_PROJECT_WATCH: 'true',
    ...inherited(environment),
    OLYTIX_HTTP__HOST: http.host,
    OLYTIX_HTTP__PORT: String(http.port),
    OLYTIX_IDENTITY__ADDRESS: identityAddress,
    OLYTIX_DATABASE__URL: databases.query.service,
    OLYTIX_DATABASE__OWNER_URL: databases.query.owner,
    OLYTIX_WAREHOUSE__FALLBACK_URL: databases.warehouse.service,
    OLYTIX_MODELS__FALLBACK_URL: databases.models.service,
    OLYTIX_MASKING__KEY: secrets.maskingKey,
    OLYTIX_PROJECT_PATH: projectPath,
  }
}

function inherited(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !WITHHELD.test(name)))
}
