import { unavailable } from '@olytix/errors'
import type { Authorizer, AuthorizeQuestion, Verdict } from '../authorizer.js'
import type { Principal } from '../principal.js'

/** Knows the credentials it is given; everything else is unidentified. `down` makes it fail. */
export class FakeAuthorizer implements Authorizer {
  readonly questions: AuthorizeQuestion[] = []
  down = false

  constructor(private readonly principals: Readonly<Record<string, Principal>>) {}

  authorize(question: AuthorizeQuestion): Promise<Verdict> {
    this.questions.push(question)
    if (this.down) return Promise.reject(unavailable('The identity service'))
    const principal = this.principals[question.credential.text]
    return Promise.resolve(principal ? judge(principal, question) : unknown())
  }
}

function judge(principal: Principal, question: AuthorizeQuestion): Verdict {
  const missing = question.requiredScopes.filter((scope) => !principal.scopes.includes(scope))
  return missing.length === 0
    ? { decision: 'allow', principal }
    : { decision: 'refused', reason: 'insufficient_scope', principal }
}

function unknown(): Verdict {
  return { decision: 'unidentified', reason: 'unknown_credential' }
}

/** A principal for tests: an API key with the scope read and the role viewer unless said otherwise. */
export function aPrincipal(overrides: Partial<Principal> = {}): Principal {
  const principal: Principal = {
    id: 'key_test',
    kind: 'api_key',
    email: null,
    name: 'Test key',
    roles: ['viewer'],
    scopes: ['read'],
    attributes: {},
    expiresAt: null,
    ...overrides,
  }
  return Object.freeze(principal)
}
