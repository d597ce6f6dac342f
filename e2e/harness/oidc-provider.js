import { createServer } from 'node:http'
import Provider from 'oidc-provider'

/**
 * A company's directory: oidc-provider on a free port of loopback, in a process of its own so that it can be killed.
 * Says `{ issuer }` to its parent; takes `{ accounts }`, claims by subject, and `{ redirectUri }`, where it may send
 * its one client. Its login page asks for any password; nobody is asked for consent. Outside the type check: the
 * types of oidc-provider clash with those of another package.
 */

const SCOPES = 'openid email profile directory'
/** @type {Record<string, Record<string, unknown>>} */
let accounts = {}
/** @type {Set<string>} */
const redirectUris = new Set()

const server = createServer()
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('listens nowhere')
  const issuer = `http://127.0.0.1:${String(address.port)}`
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'olytix',
        client_secret: process.env['CLIENT_SECRET'] ?? '',
        redirect_uris: ['http://localhost/unused'],
        response_types: ['code'],
        grant_types: ['authorization_code'],
      },
    ],
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name'],
      directory: ['region', 'groups'],
    },
    cookies: { keys: ['for-tests-only'] },
    findAccount: (_context, sub) =>
      accounts[sub] && { accountId: sub, claims: () => ({ sub, ...accounts[sub] }) },
    loadExistingGrant: async ({ oidc }) => {
      const grant = new provider.Grant({
        clientId: oidc.client?.clientId ?? '',
        accountId: oidc.session?.accountId ?? '',
      })
      grant.addOIDCScope(SCOPES)
      await grant.save()
      return grant
    },
  })
  // The callback's port is known only after the stack has started, which needs to know us first.
  provider.Client.prototype.redirectUriAllowed = (uri) => redirectUris.has(uri)
  server.on('request', provider.callback())
  process.send?.({ issuer })
})

process.on('message', (message) => {
  if (message.accounts) accounts = message.accounts
  if (message.redirectUri) redirectUris.add(message.redirectUri)
  process.send?.({ done: true })
})
process.on('disconnect', () => process.exit())
