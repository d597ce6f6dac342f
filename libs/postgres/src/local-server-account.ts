import { readFile } from 'node:fs/promises'

/** Ids for `spawn`; empty when this process is not root and simply runs PostgreSQL as itself. */
export type Account = { readonly uid: number; readonly gid: number } | { uid?: never; gid?: never }

/** The account for a PostgreSQL started by root: `postgres` where it exists, else `nobody`. No account is made. */
export async function unprivilegedUser(): Promise<Account> {
  if (process.getuid?.() !== 0) return {}
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'))
  const entry = ['postgres', 'nobody']
    .map((name) => lines.find(([user]) => user === name))
    .find(Boolean)
  if (!entry)
    throw new Error(
      'PostgreSQL does not run as root, and there is neither a user postgres nor nobody',
    )
  return { uid: Number(entry[2]), gid: Number(entry[3]) }
}
