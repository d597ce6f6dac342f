import { appendFileSync } from 'node:fs'

/** Ours by their form, and what stands in a field that holds a secret. */
const SECRETS = [
  /olytix-core_key_[0-9a-z]{33}/g,
  /refresh_[A-Za-z0-9_-]{40,}/g,
  /eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{20,}/g,
  /(?<="(?:password|current_password|new_password|token|invite_token)": ?")[^"\\]{12,}/g,
]

/** Remembers every secret in what was sent or received: after the run no log may hold it. See `leaked-secrets.js`. */
export function rememberSecrets(text: string): void {
  const file = process.env['OLYTIX_E2E__SECRETS_FILE']
  const found = SECRETS.flatMap((pattern) => text.match(pattern) ?? [])
  if (file && found.length > 0) appendFileSync(file, found.map((secret) => `${secret}\n`).join(''))
}
