import { z } from 'zod'
import { moment, number, scope } from './answers.js'

/** What the server answers about keys, users, roles, sessions and the audit trail. Unknown fields are kept. */

const attributes = z.record(z.string(), z.unknown())
const nextPage = z.string().nullish()

export const issuedKey = z.looseObject({
  id: z.string(),
  key: z.string(),
  name: z.string(),
  scopes: z.array(scope),
  expires_at: moment,
  created_at: moment,
})
export type IssuedKey = z.output<typeof issuedKey>

export const listedKey = z.looseObject({
  id: z.string(),
  name: z.string(),
  hint: z.string(),
  scopes: z.array(scope),
  status: z.string(),
  expires_at: moment.nullish(),
  last_used_at: moment.nullish(),
  /** The key that takes the place of this one. */
  rotated_to: z.string().nullish(),
})
export type ListedKey = z.output<typeof listedKey>

export const keyPage = z.looseObject({ keys: z.array(listedKey), next_page_token: nextPage })

export const keyUsage = z.looseObject({
  usage: z.array(z.looseObject({ start: moment, requests: z.record(z.string(), number) })),
  last_client_ip: z.string().nullish(),
})
export type KeyUsage = z.output<typeof keyUsage>

export const tokenPair = z.looseObject({
  access_token: z.string(),
  token_type: z.string(),
  expires_in: number,
  refresh_token: z.string(),
})
export type TokenPair = z.output<typeof tokenPair>

/** The address is for a browser: nothing but http may be opened. */
const oauthProvider = z.looseObject({
  name: z.string(),
  display_name: z.string(),
  authorize_url: z.url({ protocol: /^https?$/ }),
})
export type OAuthProvider = z.output<typeof oauthProvider>

export const providerList = z.looseObject({ providers: z.array(oauthProvider) })

export const session = z.looseObject({
  id: z.string(),
  created_at: moment,
  last_used_at: moment.nullish(),
  expires_at: moment.nullish(),
  client_ip: z.string().nullish(),
  user_agent: z.string().nullish(),
  current: z.boolean(),
})
export type Session = z.output<typeof session>

export const sessionPage = z.looseObject({
  sessions: z.array(session),
  next_page_token: nextPage,
})

export const user = z.looseObject({
  id: z.string(),
  email: z.string(),
  name: z.string(),
  roles: z.array(z.string()),
  attributes,
  disabled: z.boolean(),
  email_verified: z.boolean(),
  password_set: z.boolean().nullish(),
  created_at: moment,
  last_login_at: moment.nullish(),
})
export type User = z.output<typeof user>

export const userPage = z.looseObject({ users: z.array(user), next_page_token: nextPage })

export const createdUser = user.extend({
  invite_token: z.string().optional(),
  invite_expires_at: moment.nullish(),
})
export type CreatedUser = z.output<typeof createdUser>

export const oneTimeToken = z.looseObject({ token: z.string(), expires_at: moment })
export type OneTimeToken = z.output<typeof oneTimeToken>

export const role = z.looseObject({
  name: z.string(),
  scopes: z.array(scope),
  description: z.string().nullish(),
  built_in: z.boolean().nullish(),
  updated_at: moment.nullish(),
})
export type Role = z.output<typeof role>

export const rolePage = z.looseObject({ roles: z.array(role), next_page_token: nextPage })

export const signingKey = z.looseObject({
  id: z.string(),
  algorithm: z.string(),
  state: z.string(),
  created_at: moment,
  activated_at: moment.nullish(),
  retired_at: moment.nullish(),
  revoked_at: moment.nullish(),
})
export type SigningKey = z.output<typeof signingKey>

export const signingKeyPage = z.looseObject({
  signing_keys: z.array(signingKey),
  next_page_token: nextPage,
})

export const auditEvent = z.looseObject({
  id: z.string(),
  event_type: z.string(),
  timestamp: moment,
  request_id: z.string().nullish(),
  user_id: z.string().nullish(),
  user_email: z.string().nullish(),
  client_ip: z.string().nullish(),
  subject: z.string().nullish(),
  access_granted: z.boolean().nullish(),
  denial_reason: z.string().nullish(),
})
export type AuditEvent = z.output<typeof auditEvent>

export const eventPage = z.looseObject({ events: z.array(auditEvent), next_page_token: nextPage })

export const chainCheck = z.looseObject({
  intact: z.boolean(),
  events_checked: number,
  first_broken_id: z.string().nullish(),
  /** Of the last event, in hexadecimal. */
  head_hash: z.string().nullish(),
})
export type ChainCheck = z.output<typeof chainCheck>

/** How many keys of an owner were revoked. */
export const revokedKeys = z.looseObject({ revoked: number })
