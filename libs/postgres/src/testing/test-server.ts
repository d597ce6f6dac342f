import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freePort } from '../free-port.js'
import { startLocalServer } from '../local-server.js'

/** Starts PostgreSQL for a test run on a free port, without durability: it lives as long as the run. */
export async function startTestServer(): Promise<{ url: string; stop: () => Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'olytix-test-'))
  await chmod(folder, 0o711)
  const server = await startLocalServer({
    dataDir: path.join(folder, 'data'),
    port: await freePort(),
    password: randomBytes(16).toString('hex'),
    settings: [
      'fsync=off',
      'synchronous_commit=off',
      'full_page_writes=off',
      'max_connections=300',
    ],
  })
  return {
    url: server.url,
    stop: async () => {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
