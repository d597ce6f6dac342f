import { Inject, Injectable } from '@nestjs/common'
import { unauthorized } from '@olytix/errors'
import { newId } from '@olytix/postgres'
import { withImplied } from '../scopes/scopes.js'
import { ACCESS_TTL_SECONDS, accessPayload, signAccessToken } from './access-token.js'
import type { SigningKey } from './key-material.js'
import type { KeyRing } from './key-ring.js'
import {
  isMadeBy,
  openRefreshToken,
  readRefreshToken,
  type RefreshParts,
  refreshToken,
} from './refresh-token.js'
import type { SubjectRow } from './sessions.queries.js'
import { SigningKeysService } from './signing-keys.service.js'
import { TOKENS_OPTIONS, type TokensOptions } from './tokens.options.js'

/** What a signed-in client holds. */
export interface TokenPair {
  readonly accessToken: string
  /** From the issue of the access token, in seconds: the same for a retry, whose answer is the same. */
  readonly expiresIn: number
  readonly refreshToken: string
}

/** From which a pair can be made again, the same each time. */
export interface Issue {
  readonly accessPayload: string
  readonly accessKeyId: string
  readonly refreshKeyId: string
}

/** Makes tokens, and reads refresh tokens. Asks the database for keys alone. */
@Injectable()
export class TokenFactory {
  private readonly ring: KeyRing

  constructor(
    signingKeys: SigningKeysService,
    @Inject(TOKENS_OPTIONS) private readonly options: TokensOptions,
  ) {
    this.ring = signingKeys.ring
  }

  /** What a session is given at this moment. Call `pair` to sign it. */
  issue(
    subject: SubjectRow,
    { sessionId, at }: { readonly sessionId: string; readonly at: Date },
  ): Issue {
    const iat = Math.floor(at.getTime() / 1000)
    const payload = accessPayload({
      sub: subject.user_id,
      email: subject.email,
      roles: subject.roles,
      scope: withImplied(subject.scopes).join(' '),
      iss: this.options.issuer,
      aud: this.options.audience,
      iat,
      nbf: iat,
      exp: iat + ACCESS_TTL_SECONDS,
      jti: newId('tok', at),
      sid: sessionId,
    })
    const { access_key_id: accessKeyId, refresh_key_id: refreshKeyId } = subject
    return { accessPayload: payload, accessKeyId, refreshKeyId }
  }

  /** @throws AppError UNAUTHORIZED when a key of the issue has been revoked */
  async pair(issue: Issue, parts: RefreshParts): Promise<TokenPair> {
    const accessKey = await this.key(issue.accessKeyId)
    const refreshKey = await this.key(issue.refreshKeyId)
    return {
      accessToken: await signAccessToken(issue.accessPayload, accessKey),
      expiresIn: ACCESS_TTL_SECONDS,
      refreshToken: refreshToken(parts, refreshKey),
    }
  }

  /**
   * Reads a refresh token without asking the database.
   * @returns what it says and the id of the key that made it; `undefined` for anything that none of our keys made
   */
  async readRefreshToken(
    text: string,
  ): Promise<{ readonly parts: RefreshParts; readonly keyId: string } | undefined> {
    const bytes = readRefreshToken(text)
    if (!bytes) return undefined
    let key = await this.makerOf(bytes)
    if (!key && (await this.ring.refresh())) key = await this.makerOf(bytes)
    const parts = key && openRefreshToken(bytes, key)
    return key && parts && { parts, keyId: key.id }
  }

  private async makerOf(bytes: Buffer): Promise<SigningKey | undefined> {
    const keys = await this.ring.ofAlgorithm('HMAC-SHA-256')
    return keys.find((key) => isMadeBy(bytes, key))
  }

  private async key(id: string): Promise<SigningKey> {
    const key = await this.ring.withId(id)
    if (!key) throw unauthorized('a signing key was revoked')
    return key
  }
}
