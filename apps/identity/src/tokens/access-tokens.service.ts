import { Inject, Injectable } from '@nestjs/common'
import { type AccessClaims, type Verified, verifyAccessToken } from './access-token.js'
import type { SigningKey } from './key-material.js'
import { type HeldSession, SessionsService } from './sessions.service.js'
import { SigningKeysService } from './signing-keys.service.js'
import { TOKENS_OPTIONS, type TokensOptions } from './tokens.options.js'

/** A token that is ours and in force, with its session as of this moment; or why it is not. */
export type HeldToken =
  | { readonly claims: AccessClaims; readonly keyId: string; readonly session: HeldSession }
  | {
      readonly denialReason:
        'malformed_credential' | 'unknown_credential' | 'expired_credential' | 'revoked_credential'
    }

/** Verifies access tokens with the keys of this service. */
@Injectable()
export class AccessTokensService {
  constructor(
    private readonly signingKeys: SigningKeysService,
    private readonly sessions: SessionsService,
    @Inject(TOKENS_OPTIONS) private readonly options: TokensOptions,
  ) {}

  /** The session behind a presented token, whatever the session's state. One statement, and none for what is not ours. */
  async findHeldToken(text: string): Promise<HeldToken> {
    const verified = await this.verify(text)
    if ('denialReason' in verified) return verified
    const session = await this.sessions.findHeldSession(verified.claims, verified.keyId)
    return session ? { ...verified, session } : { denialReason: 'revoked_credential' }
  }

  /** Without `kid` a fault may lie in keys that are not known yet: then they are read again. */
  private async verify(text: string): Promise<Verified> {
    const verified = await this.verifyOnce(text)
    const mayBeNew = 'denialReason' in verified && verified.denialReason === 'unknown_credential'
    if (!mayBeNew || this.options.algorithm !== 'HS256') return verified
    return (await this.signingKeys.ring.refresh()) ? this.verifyOnce(text) : verified
  }

  private verifyOnce(text: string): Promise<Verified> {
    const now = Math.floor(this.options.now().getTime() / 1000)
    return verifyAccessToken(text, (kid) => this.findKeys(kid), { ...this.options, now })
  }

  private async findKeys(kid: string | undefined): Promise<readonly SigningKey[]> {
    const { ring } = this.signingKeys
    if (kid === undefined) return ring.ofAlgorithm(this.options.algorithm)
    const key = await ring.withId(kid)
    return key?.algorithm === this.options.algorithm ? [key] : []
  }
}
