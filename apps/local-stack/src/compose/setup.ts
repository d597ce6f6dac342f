/** The one-shot container `setup`: databases, roles and the example data on the PostgreSQL of the stack. */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { prepareDatabases } from '../databases.js'
import { loadExample } from '../example.js'
import { Progress } from '../progress.js'

const Server = z.object({
  url: z.string(),
  passwords: z.object({
    ownerPassword: z.string(),
    identityPassword: z.string(),
    queryPassword: z.string(),
    readerPassword: z.string(),
    builderPassword: z.string(),
  }),
})

const text = await readFile('/secrets/setup/server.json', 'utf8')
const server = Server.parse(JSON.parse(text))
const progress = new Progress(process.stdout)
const databases = await progress.step('Databases and roles', () =>
  prepareDatabases(server.url, server.passwords),
)
await progress.step('Superstore example', () => loadExample(databases.warehouse.owner))
