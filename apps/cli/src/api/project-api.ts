import { z } from 'zod'
import { number } from './answers.js'
import { call, type Endpoint } from './transport.js'

const loaded = z.looseObject({
  success: z.boolean(),
  project_name: z.string().nullish(),
  source_count: number,
  model_count: number,
  cube_count: number,
  metric_count: number,
  errors: z.array(
    z.looseObject({
      path: z.string(),
      line: number.nullish(),
      column: number.nullish(),
      message: z.string(),
      suggestion: z.string().nullish(),
    }),
  ),
  warnings: z.array(z.string()),
})

/** What the project folder defines, and what is wrong with it. */
export type LoadedProject = z.output<typeof loaded>

/** The body of both calls. */
export interface LoadRequest {
  readonly project_path?: string
  readonly strict: boolean
}

/** The project folder of the server. Every method throws what `call` throws. */
export class ProjectApi {
  constructor(private readonly endpoint: Endpoint) {}

  /** Changes nothing. */
  compile(body: LoadRequest): Promise<LoadedProject> {
    return call(this.endpoint, { method: 'POST', path: 'api/v1/unified/compile', body }, loaded)
  }

  load(body: LoadRequest): Promise<LoadedProject> {
    return call(this.endpoint, { method: 'POST', path: 'api/v1/unified/load', body }, loaded)
  }
}
