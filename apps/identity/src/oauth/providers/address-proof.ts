import { canonicalEmail } from '../../users/email.js'

type Claims = Readonly<Record<string, unknown>>

const GOOGLE_HOST = 'accounts.google.com'
/** Their directories let people write any address into `email`; `xms_edov` says that the domain's owner proved it. */
const MICROSOFT_HOSTS: readonly string[] = [
  'login.microsoftonline.com',
  'login.microsoftonline.us',
  'login.partner.microsoftonline.cn',
]

/**
 * How a provider says that an address is its owner's. By the issuer and not by the name in the project file, so that
 * no spelling of the settings gets around it.
 * @param issuer as the checked ID token names it
 */
export function addressProof(issuer: string): (claims: Claims) => boolean {
  const { hostname } = new URL(issuer)
  if (MICROSOFT_HOSTS.includes(hostname)) return isProvedToMicrosoft
  return hostname === GOOGLE_HOST ? isGoogles : isDeclaredVerified
}

function isDeclaredVerified(claims: Claims): boolean {
  return claims['email_verified'] === true
}

function isProvedToMicrosoft(claims: Claims): boolean {
  const yes: readonly unknown[] = [true, 'true', 1, '1']
  return yes.includes(claims['xms_edov'])
}

/**
 * Anybody can open a Google account on an address of their company and keeps it, `email_verified` included, after they
 * have left. Google itself speaks for an address only if it hosts it: at Gmail, or in the Workspace that `hd` names.
 */
function isGoogles(claims: Claims): boolean {
  const { email, hd } = claims
  const address = typeof email === 'string' ? canonicalEmail(email) : undefined
  if (address === undefined || !isDeclaredVerified(claims)) return false
  const domain = address.slice(address.lastIndexOf('@') + 1)
  return domain === 'gmail.com' || (typeof hd === 'string' && hd.toLowerCase() === domain)
}
