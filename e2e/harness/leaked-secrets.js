import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

const KEY_PREFIX = 'olytix-core_key_'
/** Of a key, its first characters are shown in lists. */
const HINT_LENGTH = 4
/** Short parts could stand in a log by chance. */
const SHORTEST = 12

/**
 * The secrets that occur in a log: plain, URL- or base64-encoded, wherever they begin.
 * @param {Iterable<string>} secrets
 * @param {string} logFolder
 * @returns {string[]} which secret, how and where, without the secret itself
 */
export function leakedSecrets(secrets, logFolder) {
  const logs = readdirSync(logFolder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .map((file) => ({ file, text: readFileSync(file, 'utf8') }))
  return [...new Set(secrets)].flatMap((secret) =>
    formsOf(secret).flatMap(({ form, text }) =>
      logs
        .filter((log) => log.text.includes(text))
        .map(({ file }) => `${secret.slice(0, 10)}…, ${form}, in ${file}`),
    ),
  )
}

/** @param {string} secret */
function formsOf(secret) {
  const core = secret.startsWith(KEY_PREFIX)
    ? secret.slice(KEY_PREFIX.length + HINT_LENGTH)
    : secret
  // The signature alone makes a token out of claims that may be guessed.
  const texts = secret.startsWith('eyJ') ? [core, secret.split('.')[2] ?? core] : [core]
  return texts.flatMap((text) => [
    { form: 'plain', text },
    { form: 'URL-encoded', text: encodeURIComponent(text) },
    { form: 'as a JSON text', text: JSON.stringify(text).slice(1, -1) },
    ...[0, 1, 2].flatMap((offset) => base64Forms(text, offset)),
  ])
}

/**
 * How base64 shows a text that begins at this offset from a multiple of three: what does not depend on its
 * surroundings.
 * @param {string} text
 * @param {number} offset
 */
function base64Forms(text, offset) {
  const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(text)])
  const inner = bytes
    .toString('base64')
    .replace(/=+$/, '')
    .slice(offset === 0 ? 0 : 4, -1)
  if (inner.length < SHORTEST) return []
  const forUrls = inner.replaceAll('+', '-').replaceAll('/', '_')
  return [...new Set([inner, forUrls])].map((form) => ({ form: 'in base64', text: form }))
}
