/**
 * The one-shot container `init`. `make`: random secrets into the volumes below /secrets, the same at every start.
 * `admin-key`, `admin-password`: prints those of the first admin.
 */
import { mkdir } from 'node:fs/promises'
import { openSecrets } from '../secrets.js'
import { secretFiles, writeSecretFiles } from './container-secrets.js'

const FOLDER = '/secrets'
const NOTHING_GIVEN = {
  adminEmail: undefined,
  adminPassword: undefined,
  adminApiKey: undefined,
  masterKey: undefined,
  maskingKey: undefined,
}

await mkdir(`${FOLDER}/init`, { recursive: true, mode: 0o700 })
const secrets = await openSecrets(`${FOLDER}/init`, NOTHING_GIVEN)
const [command = 'make'] = process.argv.slice(2)
switch (command) {
  case 'make':
    await writeSecretFiles(FOLDER, secretFiles(secrets, 'postgres:5432'))
    console.log('The secrets of this stack are in its volumes')
    break
  case 'admin-key':
    console.log(secrets.adminApiKey)
    break
  case 'admin-password':
    console.log(secrets.adminPassword)
    break
  default:
    console.error(`Unknown command ${command}: expected make, admin-key or admin-password`)
    process.exitCode = 2
}
