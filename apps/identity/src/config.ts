import { flag, isLoopback, port, secret, strongSecret } from '@olytix/config'
import { z } from 'zod'
import { parseApiKey } from '@olytix/auth-guards/api-key'
import { MAX_KEY_DAYS } from './keys/key-expiry.js'
import { SIGNING_ALGORITHMS } from './tokens/key-material.js'
import { canonicalEmail } from './users/email.js'
import { passwordProblem } from './users/password-rules.js'

const MIN_DISTINCT_KEY_CHARACTERS = 10

const adminPassword = secret().superRefine((password, context) => {
  const problem = passwordProblem(password.reveal())
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem })
})

const adminApiKey = secret().superRefine((key, context) => {
  const text = key.reveal()
  if (!parseApiKey(text)) {
    const message = 'must be "olytix-core_key_", 26 random characters and 7 of their checksum'
    context.addIssue({ code: 'custom', message })
  } else if (new Set(text.slice(-33, -7)).size < MIN_DISTINCT_KEY_CHARACTERS) {
    context.addIssue({ code: 'custom', message: 'is too regular to be a secret' })
  }
})

const postgresUrl = z.string().regex(/^postgres(ql)?:\/\//, 'must be a postgres:// URL')

const printable = z.string().regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible characters')

const days = z
  .string()
  .regex(/^[1-9]\d{0,4}$/, `must be a number of days from 1 to ${String(MAX_KEY_DAYS)}`)
  .transform(Number)
  .refine((value) => value <= MAX_KEY_DAYS, `must be at most ${String(MAX_KEY_DAYS)}`)

/** Environment variables of the identity service. */
export const identitySettings = z
  .object({
    OLYTIX_IDENTITY__HOST: z.string().default('127.0.0.1').describe('Address to listen on'),
    OLYTIX_IDENTITY__PORT: port().default(50051).describe('Port to listen on; 0 picks a free one'),
    OLYTIX_IDENTITY__SERVICE_TOKEN: strongSecret()
      .optional()
      .describe('Shared secret of our services, at least 32 bytes. Required unless on loopback'),
    OLYTIX_IDENTITY__REFLECTION: flag()
      .default(true)
      .describe('Whether gRPC server reflection is served'),
    OLYTIX_DATABASE__URL: postgresUrl.describe('Database at run time, as the service role'),
    OLYTIX_DATABASE__OWNER_URL: postgresUrl
      .optional()
      .describe('Database as its owner; if set, migrations run at start'),
    OLYTIX_BOOTSTRAP__ADMIN_EMAIL: z
      .string()
      .refine((text) => canonicalEmail(text) !== undefined, 'must be an e-mail address')
      .optional()
      .describe('Address of the first admin; ignored once an admin exists'),
    OLYTIX_BOOTSTRAP__ADMIN_PASSWORD: adminPassword
      .optional()
      .describe('Password of the first admin, at least 12 characters'),
    OLYTIX_BOOTSTRAP__ADMIN_API_KEY: adminApiKey
      .optional()
      .describe('A ready-made API key of the first admin'),
    OLYTIX_SECURITY__API_KEY_MAX_DAYS: days
      .optional()
      .describe('Longest life of a new API key in days; without it there is no limit'),
    OLYTIX_SECURITY__MASTER_KEY: strongSecret().describe(
      'Seals the signing keys in the database, at least 32 bytes. Without it their tokens are lost',
    ),
    OLYTIX_SECURITY__JWT_ALGORITHM: z
      .enum(SIGNING_ALGORITHMS)
      .default('HS256')
      .describe('How access tokens are signed: HS256, or ES256 or RS256 with public keys'),
    OLYTIX_SECURITY__JWT_ISSUER: printable
      .default('olytix-core')
      .describe('The iss of access tokens; no other is accepted'),
    OLYTIX_SECURITY__JWT_AUDIENCE: printable
      .default('olytix-core')
      .describe('The aud of access tokens; no other is accepted'),
    OLYTIX_SECURITY__SIGNING_KEY_ROTATION_DAYS: days
      .default(30)
      .describe('Days after which another key signs'),
    OLYTIX_SECURITY__SESSION_IDLE_DAYS: days
      .default(14)
      .describe('Days without a refresh after which a session is over'),
    OLYTIX_SECURITY__SESSION_MAX_DAYS: days
      .default(90)
      .describe('Days after which a session is over in any case'),
    OLYTIX_PROJECT_PATH: z
      .string()
      .optional()
      .describe(
        'Folder with olytix-core_project.yml, for its security block; without it nobody signs in with a provider',
      ),
    OLYTIX_OAUTH__ALLOW_PRIVATE_ADDRESSES: flag()
      .default(false)
      .describe('Whether sign-in providers may be on private addresses, there also over http'),
    OLYTIX_LOG__LEVEL: z
      .enum(['debug', 'info', 'warn', 'error'])
      .default('info')
      .describe('Least severe log entries that are written'),
  })
  .superRefine((settings, context) => {
    const demand = (name: keyof typeof settings, message: string): void => {
      if (settings[name] === undefined) context.addIssue({ code: 'custom', path: [name], message })
    }
    if (!isLoopback(settings.OLYTIX_IDENTITY__HOST)) {
      demand('OLYTIX_IDENTITY__SERVICE_TOKEN', 'is required unless the service listens on loopback')
    }
    const { OLYTIX_BOOTSTRAP__ADMIN_EMAIL: email, ...rest } = settings
    if (rest.OLYTIX_BOOTSTRAP__ADMIN_PASSWORD ?? rest.OLYTIX_BOOTSTRAP__ADMIN_API_KEY) {
      demand('OLYTIX_BOOTSTRAP__ADMIN_EMAIL', 'is required to make the first admin')
    }
    if (email !== undefined) {
      demand('OLYTIX_BOOTSTRAP__ADMIN_PASSWORD', 'is required to make the first admin')
    }
  })

export type IdentitySettings = Readonly<z.output<typeof identitySettings>>
