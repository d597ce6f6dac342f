import { createReadStream, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'

/**
 * Loads the tables of the cases into schema `mf` of a database, and lets everybody read them.
 * @param {string} url
 * @param {string} folder
 */
export async function loadTables(url, folder) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(
      'begin; drop schema if exists mf cascade; create schema mf; set local search_path = mf',
    )
    await client.query(readFileSync(path.join(folder, '_schema.sql'), 'utf8'))
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.csv'))) {
      const table = client.escapeIdentifier(path.basename(file, '.csv'))
      const copy = client.query(
        copyFrom(`copy mf.${table} from stdin with (format csv, header, null '\\N')`),
      )
      await pipeline(createReadStream(path.join(folder, file)), copy)
    }
    await client.query(
      'grant usage on schema mf to public; grant select on all tables in schema mf to public; commit; analyze',
    )
  } finally {
    await client.end()
  }
}

/**
 * The rows that a reference statement gives, as texts.
 * @param {string} url
 * @param {string} text
 * @returns {Promise<Record<string, unknown>[]>}
 */
export async function referenceRows(url, text) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query("set timezone = 'UTC'")
    const types = {
      /** @param {number} oid */
      getTypeParser: (oid) => (/** @type {string} */ value) => (oid === 16 ? value === 't' : value),
    }
    const { rows } = await client.query({ text, types })
    return rows
  } finally {
    await client.end()
  }
}
