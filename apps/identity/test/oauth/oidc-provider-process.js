/**
 * oidc-provider, certified as an OpenID Connect provider, as a process of its own on loopback: `node oidc-provider-process.js`
 * with the settings as JSON in the first argument. Prints its issuer. Who comes by is signed in as the person without being
 * asked; `PUT /person` changes who that is.
 */
import http from 'node:http'
import Provider from 'oidc-provider'

const { clientId, clientSecret, redirectUris, person: first } = JSON.parse(process.argv[2])
let person = first

const server = http.createServer()
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const issuer = `http://127.0.0.1:${server.address().port}`

const provider = new Provider(issuer, {
  clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: redirectUris }],
  claims: {
    openid: ['sub'],
    email: ['email', 'email_verified'],
    profile: ['name', 'groups', 'region'],
  },
  cookies: { keys: ['a key of a provider for tests'] },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  pkce: { required: () => true },
  findAccount: (_ctx, accountId) => ({ accountId, claims: () => ({ ...person, sub: accountId }) }),
  async loadExistingGrant(ctx) {
    const { client, session } = ctx.oidc
    const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId })
    grant.addOIDCScope('openid email profile')
    await grant.save()
    return grant
  },
})

const answer = provider.callback()
server.on('request', (request, response) => {
  if (request.url.startsWith('/interaction/')) {
    const result = { login: { accountId: person.sub, remember: false } }
    void provider.interactionFinished(request, response, result)
  } else if (request.method === 'PUT' && request.url === '/person') {
    void change(request, response)
  } else {
    answer(request, response)
  }
})

async function change(request, response) {
  let body = ''
  for await (const chunk of request) body += chunk
  person = JSON.parse(body)
  response.end()
}

console.log(issuer)
