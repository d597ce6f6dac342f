import { COMMON_PASSWORDS } from './common-passwords.js'

const MIN_CHARACTERS = 12
/** Longest password in bytes: a longer one is refused before it costs anything. */
export const MAX_PASSWORD_BYTES = 1024
const MIN_DISTINCT = 5

/**
 * Why a text may not become a password: too short, too long, too common. No rules of composition.
 * @param about texts that must not be the password itself: the user's address and name
 * @returns `undefined` when it may
 */
export function passwordProblem(
  password: string,
  about: readonly string[] = [],
): string | undefined {
  if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES) return 'must be at most 1,024 bytes long'
  if (Array.from(password).length < MIN_CHARACTERS) return 'must be at least 12 characters long'
  if (/[\0\p{Surrogate}]/u.test(password)) return 'holds a character that is not text'
  const plain = password.normalize('NFKC').toLowerCase()
  const guessed = about.some((text) => text.toLowerCase() === plain)
  if (guessed || COMMON_PASSWORDS.has(plain) || new Set(plain).size < MIN_DISTINCT) {
    return 'is one of the first that an attacker would try'
  }
  return undefined
}
