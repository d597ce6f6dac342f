import { isUtf8 } from 'node:buffer'
import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Secret } from '@olytix/config'
import type { ProjectFile } from '@olytix/config/yaml'
import { AppError } from '@olytix/errors'
import { loadModule } from 'libpg-query'
import { buildProject } from './build-project.js'
import type { ProjectFiles } from './definitions.js'
import { PROJECT_FILE } from './project-file.js'
import type { Project } from './project.js'

const YAML = /\.ya?ml$/

/** Which files of a folder define what. */
const FOLDERS = {
  sources: YAML,
  models: /\.(sql|ya?ml)$/,
  cubes: YAML,
  metrics: YAML,
  policies: YAML,
  seeds: /\.(csv|ya?ml)$/,
  tests: /\.sql$/,
} as const

/** A folder is read into memory as a whole, and kept in every replica. */
const MAX_FILE_BYTES = 1024 * 1024

/**
 * Reads and compiles the project in a folder.
 * @param environment for `${NAME}` in the project file
 * @param maskingKey of `mask: hash`
 * @throws AppError INVALID_PROJECT that names each problem with file, line and column
 */
export async function loadProject(
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
  maskingKey?: Secret,
): Promise<Project> {
  await loadModule()
  return buildProject(await readProjectFolder(folder), environment, maskingKey)
}

/** @throws AppError INVALID_PROJECT when there is no project file */
export async function readProjectFolder(folder: string): Promise<ProjectFiles> {
  const of = (name: keyof typeof FOLDERS) => filesIn(folder, name, FOLDERS[name])
  const [project, sources, models, cubes, metrics, policies, seeds, tests] = await Promise.all([
    projectFile(folder),
    of('sources'),
    of('models'),
    of('cubes'),
    of('metrics'),
    of('policies'),
    of('seeds'),
    of('tests'),
  ])
  return { project, sources, models, cubes, metrics, policies, seeds, tests }
}

async function projectFile(folder: string): Promise<ProjectFile> {
  try {
    return { path: PROJECT_FILE, text: await readFile(path.join(folder, PROJECT_FILE), 'utf8') }
  } catch (error) {
    throw new AppError('INVALID_PROJECT', `There is no ${PROJECT_FILE} in ${folder}`, {
      details: [{ path: PROJECT_FILE, message: 'expected the project file', line: 1, column: 1 }],
      cause: error,
    })
  }
}

/** All matching files below a folder, by path; none when the folder does not exist. */
async function filesIn(root: string, folder: string, pattern: RegExp): Promise<ProjectFile[]> {
  const entries = await readdir(path.join(root, folder), { withFileTypes: true }).catch(() => [])
  const found = await Promise.all(
    entries.map(async (entry): Promise<ProjectFile[]> => {
      const relative = `${folder}/${entry.name}`
      if (entry.isDirectory()) return filesIn(root, relative, pattern)
      if (!entry.isFile() || !pattern.test(entry.name)) return []
      return [{ path: relative, text: await textOf(path.join(root, relative), relative) }]
    }),
  )
  return found.flat().sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** @throws AppError INVALID_PROJECT for what is too long, or no text */
async function textOf(file: string, relative: string): Promise<string> {
  const { size } = await stat(file)
  if (size > MAX_FILE_BYTES) {
    throw unreadable(
      relative,
      `has ${String(size)} bytes; at most ${String(MAX_FILE_BYTES)} are allowed`,
    )
  }
  const bytes = await readFile(file)
  if (isUtf8(bytes)) return bytes.toString('utf8')
  throw unreadable(relative, 'expected text in UTF-8')
}

function unreadable(path: string, message: string): AppError {
  return new AppError('INVALID_PROJECT', `${path}: ${message}`, {
    details: [{ path, message, line: 1, column: 1 }],
  })
}
