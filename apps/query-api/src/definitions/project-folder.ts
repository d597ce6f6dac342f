import { realpath } from 'node:fs/promises'
import path from 'node:path'
import { invalidRequest } from '@olytix/errors'
import type { ProjectFiles } from '../project/definitions.js'
import { readProjectFolder } from '../project/load-project.js'

/** The folder that the service was given, and what lies below it. */
export class ProjectFolder {
  constructor(private readonly root: string) {}

  /**
   * @param projectPath from the folder on; links out of it lead nowhere
   * @throws AppError INVALID_REQUEST when it is not below the folder, INVALID_PROJECT when it holds no project
   */
  async read(projectPath = '.'): Promise<ProjectFiles> {
    const root = await realpath(this.root)
    const wanted = await realpath(path.resolve(root, projectPath)).catch(() => undefined)
    const isInside = wanted === root || wanted?.startsWith(root + path.sep)
    if (wanted !== undefined && isInside) return readProjectFolder(wanted)
    const message = 'is no folder inside the project folder of the service'
    throw invalidRequest([{ path: 'project_path', message }])
  }
}
