import { readFile } from 'node:fs/promises'
import type { Queryable } from './database.js'
import { trusted } from './sql.js'

const FUNCTIONS = new URL('../sql/row-security.sql', import.meta.url)

/**
 * Puts the functions into a warehouse that its own policies ask about who is asking: `olytix.user_attribute('region')`
 * and its kin. Again and again does no harm.
 * @param owner connected as who may create a schema there
 */
export async function installRowSecurity(owner: Queryable): Promise<void> {
  await owner.execute(trusted(await readFile(FUNCTIONS, 'utf8')))
}
