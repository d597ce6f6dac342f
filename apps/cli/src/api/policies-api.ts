import { z } from 'zod'
import { moment, number } from './answers.js'
import { call, command, type Endpoint } from './transport.js'

const author = z.looseObject({ id: z.string(), email: z.string().nullish() }).nullable()

const content = z.looseObject({ cube: z.string() })

const policy = z.looseObject({
  name: z.string(),
  kind: z.string(),
  policy: content.nullable(),
  revision: number,
  changed_at: moment,
  changed_by: author,
})

/** A policy as the server has it; `policy` is what a file says of it. */
export type Policy = z.output<typeof policy>

const policyList = z.looseObject({ policies: z.array(policy) })

const version = z.looseObject({
  revision: number,
  change: z.string(),
  changed_at: moment,
  changed_by: author,
  policy: content.nullable(),
})

/** One change of a policy. */
export type PolicyVersion = z.output<typeof version>

const history = z.looseObject({ versions: z.array(version) })

const POLICIES = 'api/v1/policies'

/** Policies of rows and of masks. Every method throws what `call` throws. */
export class PoliciesApi {
  constructor(private readonly endpoint: Endpoint) {}

  async list(): Promise<readonly Policy[]> {
    return (await call(this.endpoint, { method: 'GET', path: POLICIES }, policyList)).policies
  }

  get(name: string): Promise<Policy> {
    return call(this.endpoint, { method: 'GET', path: pathOf(name) }, policy)
  }

  async history(name: string): Promise<readonly PolicyVersion[]> {
    const path = `${pathOf(name)}/history`
    return (await call(this.endpoint, { method: 'GET', path }, history)).versions
  }

  /** @param revision if given, the one that must have changed the policy last */
  put(name: string, body: unknown, revision?: number): Promise<Policy> {
    const request = { method: 'PUT', path: pathOf(name), body, ...onlyIf(revision) } as const
    return call(this.endpoint, request, policy)
  }

  delete(name: string, revision?: number): Promise<void> {
    return command(this.endpoint, { method: 'DELETE', path: pathOf(name), ...onlyIf(revision) })
  }
}

function onlyIf(revision: number | undefined): { readonly ifMatch?: string } {
  return revision === undefined ? {} : { ifMatch: `"${String(revision)}"` }
}

function pathOf(name: string): string {
  return `${POLICIES}/${encodeURIComponent(name)}`
}
