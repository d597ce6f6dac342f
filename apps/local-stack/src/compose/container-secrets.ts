import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { databaseUrls } from '../databases.js'
import { type StackSecrets, writePrivately } from '../secrets.js'

/** Files by folder, each folder a volume that one container mounts: nobody can read another's. */
type SecretFiles = Readonly<Record<string, Readonly<Record<string, string>>>>

/** @param host of PostgreSQL on the network of the containers: `postgres:5432` */
export function secretFiles(secrets: StackSecrets, host: string): SecretFiles {
  const superuser = encodeURIComponent(secrets.superuserPassword)
  const serverUrl = `postgres://postgres:${superuser}@${host}/postgres`
  const { identity, query, warehouse, models } = databaseUrls(serverUrl, secrets)
  const { ownerPassword, identityPassword, queryPassword, readerPassword, builderPassword } =
    secrets
  return {
    postgres: { 'superuser-password': secrets.superuserPassword },
    setup: {
      'server.json': JSON.stringify({
        url: serverUrl,
        passwords: {
          ownerPassword,
          identityPassword,
          queryPassword,
          readerPassword,
          builderPassword,
        },
      }),
    },
    identity: {
      'database-url': identity.service,
      'owner-url': identity.owner,
      'master-key': secrets.masterKey,
      'service-token': secrets.serviceToken,
      'admin-password': secrets.adminPassword,
      'admin-api-key': secrets.adminApiKey,
    },
    'query-api': {
      'database-url': query.service,
      'owner-url': query.owner,
      'warehouse-url': warehouse.service,
      'models-url': models.service,
      'masking-key': secrets.maskingKey,
      'service-token': secrets.serviceToken,
    },
  }
}

/** Writes every file with mode 0600, whole or not at all. */
export async function writeSecretFiles(folder: string, files: SecretFiles): Promise<void> {
  for (const [owner, contents] of Object.entries(files)) {
    await mkdir(path.join(folder, owner), { recursive: true, mode: 0o700 })
    for (const [name, text] of Object.entries(contents)) {
      await writePrivately(path.join(folder, owner, name), text)
    }
  }
}
