import { availableParallelism } from 'node:os'
import { Injectable } from '@nestjs/common'
import { HashQueue } from './hash-queue.js'
import { hashPassword, isOutdatedHash, isPasswordOf } from './password-hash.js'

/** Node computes hashes on four threads unless told otherwise; some must stay free for everything else. */
const MAX_CONCURRENCY = 3
const MAX_WAITING = 32

/** Hashes and compares passwords: a few at a time, and in the same time whether or not there is one to compare with. */
@Injectable()
export class PasswordsService {
  private readonly queue = new HashQueue({
    concurrency: Math.min(MAX_CONCURRENCY, Math.max(1, availableParallelism() - 1)),
    maxWaiting: MAX_WAITING,
  })

  private dummyHash: Promise<string> | undefined

  /** @throws AppError RATE_LIMITED when too many passwords are being hashed */
  hash(password: string): Promise<string> {
    return this.queue.run(() => hashPassword(password))
  }

  /**
   * Whether a password is the one of this hash; without a hash, no, after as long a time.
   * @throws AppError RATE_LIMITED when too many passwords are being hashed
   */
  async isCorrect(password: string, passwordHash: string | null): Promise<boolean> {
    this.dummyHash ??= hashPassword('compared with where there is no password')
    const compared = passwordHash ?? (await this.dummyHash)
    const isSame = await this.queue.run(() => isPasswordOf(compared, password))
    return isSame && passwordHash !== null
  }

  isOutdated(passwordHash: string): boolean {
    return isOutdatedHash(passwordHash)
  }
}
