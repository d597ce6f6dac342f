import type { Project } from './project.js'

/** A project, and which revision of the definitions it is: a higher number is a newer one. */
export interface ProjectRevision {
  readonly project: Project
  readonly revision: number
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

  /** A revision that is not newer than the one held changes nothing: replies may overtake each other. */
  replace(next: ProjectRevision): void {
    if (next.revision > this.current.revision) this.current = next
  }
}
