import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Secret } from '@olytix/config'
import type { ProjectFile } from '@olytix/config/yaml'
import { AppError } from '@olytix/errors'
import { loadModule } from 'libpg-query'
import { buildProject } from './build-project.js'
import type { Project } from './project.js'

const PROJECT_FILE = 'olytix-core_project.yml'

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
  const yaml = /\.ya?ml$/
  const [project, sources, models, cubes, metrics, policies] = await Promise.all([
    readProjectFile(folder),
    filesIn(folder, 'sources', yaml),
    filesIn(folder, 'models', /\.sql$/),
    filesIn(folder, 'cubes', yaml),
    filesIn(folder, 'metrics', yaml),
    filesIn(folder, 'policies', yaml),
  ])
  return buildProject(
    { project, sources, models, cubes, metrics, policies },
    environment,
    maskingKey,
  )
}

async function readProjectFile(folder: string): Promise<ProjectFile> {
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
      return [{ path: relative, text: await readFile(path.join(root, relative), 'utf8') }]
    }),
  )
  return found.flat().sort((a, b) => (a.path < b.path ? -1 : 1))
}
