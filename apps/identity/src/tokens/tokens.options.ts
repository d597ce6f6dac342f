import type { SigningAlgorithm } from './key-material.js'

/** Settings of tokens and sessions. */
export interface TokensOptions {
  readonly now: () => Date
  readonly masterKey: string
  readonly algorithm: SigningAlgorithm
  readonly issuer: string
  readonly audience: string
  /** Days after which another key signs. */
  readonly rotationDays: number
  /** Days without a refresh after which a session is over. */
  readonly idleDays: number
  /** Days after which a session is over in any case. */
  readonly absoluteDays: number
}

export const TOKENS_OPTIONS = Symbol('TokensOptions')

const DAY_MS = 86_400_000

export function daysAfter(moment: Date, days: number): Date {
  return new Date(moment.getTime() + days * DAY_MS)
}
