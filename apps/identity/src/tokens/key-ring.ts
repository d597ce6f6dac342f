import type { Database } from '@olytix/postgres'
import type { KeyAlgorithm, SigningKey } from './key-material.js'
import { openMaterial } from './key-material.js'
import { unseal } from './sealing.js'
import { listSealedKeys, type SealedKeyRow } from './signing-keys.queries.js'

/** Least time between two readings, in milliseconds: garbage cannot make the database work more. */
const COOL_DOWN_MS = 50

/**
 * The signing keys of the database, opened, in memory. It may be behind: whether a key still counts is read together
 * with the session or user that a token names. Whoever misses a key gets those of the next reading.
 */
export class KeyRing {
  private keys: readonly SigningKey[] = []
  private readAt = -Infinity
  private reading: Promise<boolean> | undefined

  constructor(
    private readonly database: Database,
    private readonly sealingKey: Buffer,
  ) {}

  /** All keys of an algorithm, the active one first. */
  async ofAlgorithm(algorithm: KeyAlgorithm): Promise<readonly SigningKey[]> {
    if (this.keys.length === 0) await this.refresh()
    return this.keys.filter((key) => key.algorithm === algorithm)
  }

  /** The key with this id; reads the database if it is not known. */
  async withId(id: string): Promise<SigningKey | undefined> {
    const known = this.keys.find((key) => key.id === id)
    if (known) return known
    await this.refresh()
    return this.keys.find((key) => key.id === id)
  }

  /**
   * Reads the database again, at most every 50 ms; those who ask meanwhile wait and share the answer.
   * @returns whether there were keys that were not known before
   */
  refresh(): Promise<boolean> {
    this.reading ??= this.readSoon().finally(() => {
      this.reading = undefined
    })
    return this.reading
  }

  private async readSoon(): Promise<boolean> {
    const waitMs = this.readAt + COOL_DOWN_MS - performance.now()
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
    this.readAt = performance.now()
    const rows = await listSealedKeys(this.database)
    const known = new Map(this.keys.map((key) => [key.id, key]))
    this.keys = rows.map((row) => known.get(row.id) ?? this.open(row))
    return this.keys.some((key) => !known.has(key.id))
  }

  private open({ id, algorithm, sealed }: SealedKeyRow): SigningKey {
    const material = unseal(Buffer.from(sealed), this.sealingKey, aboutKey(id, algorithm))
    return openMaterial(id, algorithm, material)
  }
}

/** What the sealed secret of a signing key belongs to. */
export function aboutKey(id: string, algorithm: KeyAlgorithm): string {
  return `${algorithm} ${id}`
}
