import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { createTestDatabase } from '@olytix/postgres/testing'
import { Database, ident, sql, trusted } from '@olytix/postgres'
import { ADMIN_KEY, Identity, SERVICE_TOKEN } from './identity.js'
import { startService } from './service-process.js'

const MAIN = fileURLToPath(new URL('../../apps/query-api/dist/main.js', import.meta.url))

/** Query-api as it is built, in a process of its own, with identity, databases and one cube `numbers` of many rows. */
export class QueryApi {
  /**
   * @param {import('./service-process.js').Service} service
   * @param {() => Promise<void>} stop
   */
  constructor(service, stop) {
    this.service = service
    this.stop = stop
  }

  /** @param {number} rows */
  static async start(rows) {
    const [identity, own, warehouse, folder] = await Promise.all([
      Identity.start(),
      createTestDatabase({ serviceRole: 'olytix_query' }),
      createTestDatabase(),
      writeProject(),
    ])
    await fill(warehouse, rows)
    const service = await startService(MAIN, {
      OLYTIX_HTTP__PORT: '0',
      OLYTIX_IDENTITY__ADDRESS: identity.service.address,
      OLYTIX_IDENTITY__SERVICE_TOKEN: SERVICE_TOKEN,
      OLYTIX_DATABASE__URL: own.url,
      OLYTIX_DATABASE__OWNER_URL: own.ownerUrl,
      OLYTIX_WAREHOUSE__URL: warehouse.url,
      OLYTIX_PROJECT_PATH: folder,
      OLYTIX_LOG__LEVEL: 'warn',
    })
    return new QueryApi(service, async () => {
      await service.stop()
      await identity.stop()
      await Promise.all([own.drop(), warehouse.drop(), rm(folder, { recursive: true })])
    })
  }

  /**
   * @param {string} accept
   * @param {object} question
   */
  ask(accept, question) {
    return fetch(`http://${this.service.address}/api/v1/query`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${ADMIN_KEY}`,
        'content-type': 'application/json',
        accept,
      },
      body: JSON.stringify(question),
    })
  }

  /** The most memory that the process has ever had resident, in bytes; where Linux tells. */
  async mostResident() {
    const status = await readFile(`/proc/${String(this.service.pid)}/status`, 'utf8')
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? NaN) * 1024
  }
}

async function writeProject() {
  const folder = await mkdtemp(path.join(tmpdir(), 'olytix-streaming-'))
  await Promise.all(['sources', 'cubes'].map((name) => mkdir(path.join(folder, name))))
  const files = {
    'olytix-core_project.yml': 'name: streaming\n',
    'sources/raw.yml': 'sources: [{name: raw, tables: [{name: numbers}]}]\n',
    'cubes/numbers.yml': `cubes:
  - name: numbers
    sql_table: raw.numbers
    measures: [{name: total, type: sum, sql: amount}]
    dimensions:
      - {name: id, type: number, primary_key: true}
      - {name: label, type: string}
      - {name: happened_at, type: time}
`,
  }
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text)
  return folder
}

/**
 * @param {Awaited<ReturnType<typeof createTestDatabase>>} warehouse
 * @param {number} rows
 */
async function fill({ ownerUrl, serviceRole }, rows) {
  const owner = new Database({ url: ownerUrl })
  const reader = ident(serviceRole)
  await owner.execute(sql`create schema raw`)
  await owner.execute(sql`
    create table raw.numbers as
    select n as id, 'label of row ' || n as label, timestamp '2020-01-01' + n * interval '1 minute' as happened_at,
      (n % 100000) / 7.0 as amount
    from generate_series(1, ${trusted(String(rows))}) as n`)
  await owner.execute(sql`grant usage on schema raw to ${reader}`)
  await owner.execute(sql`grant select on raw.numbers to ${reader}`)
  await owner.close()
}
