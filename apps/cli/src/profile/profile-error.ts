/** Server or credential cannot be told from flags, environment and profile. Says what to do; never shows a secret. */
export class ProfileError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ProfileError'
  }
}
