import { flag, isLoopback, list, loadConfig, port, secret, strongSecret } from '@olytix/config'
import { z } from 'zod'

/** One block of SHA-256: longer keys of an HMAC would only be hashed. */
const MAX_MASKING_KEY_BYTES = 64

/** Settings of query-api, by the environment variable that holds each. */
export const QueryApiSettings = z.object({
  OLYTIX_HTTP__HOST: z.string().default('127.0.0.1').describe('Address to listen on'),
  OLYTIX_HTTP__PORT: port().default(8000).describe('Port to listen on; 0 picks a free one'),
  OLYTIX_HTTP__PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .refine((url) => !/[?#@]/.test(url), 'must have neither user nor query')
    .optional()
    .describe('Base of links and redirects; http://localhost:<port> if unset'),
  OLYTIX_HTTP__DOCS: flag().default(true).describe('Whether /docs and /openapi.json are served'),
  OLYTIX_HTTP__CORS_ORIGINS: list()
    .default([])
    .describe('Origins whose pages may call the API, comma-separated'),
  OLYTIX_HTTP__TRUSTED_PROXIES: list()
    .default([])
    .describe('Addresses or CIDR blocks whose X-Forwarded-For counts, comma-separated'),
  OLYTIX_DATABASE__URL: secret().describe('Database at run time, as the service role'),
  OLYTIX_DATABASE__OWNER_URL: secret()
    .optional()
    .describe('Database as its owner; if set, migrations run at start'),
  OLYTIX_IDENTITY__ADDRESS: z
    .string()
    .regex(/^.+:\d{1,5}$/, 'must be host:port')
    .default('127.0.0.1:50051')
    .describe('Where identity listens'),
  OLYTIX_IDENTITY__SERVICE_TOKEN: strongSecret()
    .optional()
    .describe('Shared secret for calls to identity; required unless identity is on loopback'),
  OLYTIX_WAREHOUSE__URL: secret()
    .optional()
    .describe('Warehouse to query; wins over the `warehouse:` of the project'),
  OLYTIX_WAREHOUSE__FALLBACK_URL: secret()
    .optional()
    .describe('Warehouse when neither OLYTIX_WAREHOUSE__URL nor the project names one'),
  OLYTIX_WAREHOUSE__ALLOW_PRIVILEGED_ROLE: flag()
    .default(false)
    .describe('Query as owner or superuser although a used table has row security'),
  OLYTIX_MODELS__URL: secret()
    .optional()
    .describe('The warehouse as the role that builds models; without it none is built'),
  OLYTIX_MODELS__FALLBACK_URL: secret()
    .optional()
    .describe('The same for the warehouse of OLYTIX_WAREHOUSE__FALLBACK_URL'),
  OLYTIX_MODELS__CONCURRENCY: z.coerce
    .number()
    .int()
    .min(1)
    .max(64)
    .default(4)
    .describe('Models that a run builds at the same time'),
  OLYTIX_MODELS__TIMEOUT_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(86_400)
    .default(3600)
    .describe('How long one statement of a run may take'),
  OLYTIX_PROJECT_PATH: z
    .string()
    .default('examples/superstore')
    .describe('Folder with olytix-core_project.yml'),
  OLYTIX_PROJECT_WATCH: flag()
    .default(false)
    .describe('Load the project folder again whenever a file in it changes; `npm start` does'),
  OLYTIX_MASKING__KEY: strongSecret()
    .refine(
      (key) => Buffer.byteLength(key.reveal()) <= MAX_MASKING_KEY_BYTES,
      'must be at most 64 bytes long',
    )
    .optional()
    .describe('Key of `mask: hash`, 32 to 64 bytes; another key gives other hashes'),
  OLYTIX_SECURITY__API_KEYS_ALLOW_QUERY_PARAMETER: flag()
    .default(true)
    .describe('Whether ?api_key= works'),
  OLYTIX_SECURITY__AUDIT_ENABLED: flag()
    .default(true)
    .describe('Whether questions leave an event in the audit trail'),
  OLYTIX_AUDIT__DURABILITY: z
    .enum(['batched', 'strict'])
    .default('batched')
    .describe('strict: an answer waits until its event is committed'),
  OLYTIX_AUDIT__RETENTION_DAYS: z.coerce
    .number()
    .int()
    .min(30)
    .max(36_500)
    .optional()
    .describe('Days after which events of questions are removed, 30 at least; never if unset'),
  OLYTIX_LOG__LEVEL: z
    .enum(['debug', 'info', 'warn', 'error'])
    .default('info')
    .describe('Least important entries that are logged'),
})

export type QueryApiConfig = Readonly<z.output<typeof QueryApiSettings>>

/** @throws ConfigError that lists everything wrong at once */
export function readConfig(
  environment: Readonly<Record<string, string | undefined>>,
): QueryApiConfig {
  return loadConfig(withTokenOffLoopback, environment)
}

const withTokenOffLoopback = QueryApiSettings.refine(
  (settings) =>
    settings.OLYTIX_IDENTITY__SERVICE_TOKEN !== undefined ||
    isLoopback(settings.OLYTIX_IDENTITY__ADDRESS.replace(/:\d+$/, '')),
  {
    path: ['OLYTIX_IDENTITY__SERVICE_TOKEN'],
    message: 'is required when identity is not on this machine',
  },
)
