import { hash, verify } from '@node-rs/argon2'

/** OWASP's least parameters for argon2id (the library's default variant): 19 MiB, two passes, one lane. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const
const CURRENT_PREFIX = '$argon2id$v=19$m=19456,t=2,p=1$'

/** A PHC string: `$argon2id$v=19$m=19456,t=2,p=1$…`. */
export function hashPassword(password: string): Promise<string> {
  return hash(password, PARAMETERS)
}

/** Whether a password is the one that was hashed, with whatever parameters the hash names. */
export function isPasswordOf(passwordHash: string, password: string): Promise<boolean> {
  return verify(passwordHash, password)
}

/** Whether a hash was made with other parameters than those of today. */
export function isOutdatedHash(passwordHash: string): boolean {
  return !passwordHash.startsWith(CURRENT_PREFIX)
}
