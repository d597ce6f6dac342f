export interface KeysOptions {
  readonly now: () => Date
  /** Longest life of a new key in days, if the operator set one. */
  readonly maxDays: number | undefined
}

export const KEYS_OPTIONS = Symbol('KeysOptions')
