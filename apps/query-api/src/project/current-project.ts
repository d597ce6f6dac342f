import type { Project } from './project.js'

/** PostgreSQL tells replicas here that there may be a newer project. */
export const PROJECT_CHANNEL = 'olytix_definitions'

/** A project, and which one it is. */
export interface ProjectRevision {
  readonly project: Project
  /** Of the definitions: a higher number is a newer one. */
  readonly revision: number
  /** How often tables of models had been built when its lineage was followed through them. */
  readonly builds: number
}

/** Definitions first: of the same revision, the one that knows of more builds. */
export function isNewer(
  some: Pick<ProjectRevision, 'revision' | 'builds'>,
  than: Pick<ProjectRevision, 'revision' | 'builds'>,
): boolean {
  if (some.revision !== than.revision) return some.revision > than.revision
  return some.builds > than.builds
}

/**
 * The project that questions are answered from. It is replaced as a whole: whoever took `held` works on with the one
 * that they took, and nobody sees parts of two.
 */
export class CurrentProject {
  private current: ProjectRevision

  constructor(first: ProjectRevision) {
    this.current = first
  }

  /** Take it once per question. */
  get held(): ProjectRevision {
    return this.current
  }

  get project(): Project {
    return this.current.project
  }

  /** One that is not newer than the one held changes nothing: replies may overtake each other. */
  replace(next: ProjectRevision): void {
    if (isNewer(next, this.current)) this.current = next
  }
}
