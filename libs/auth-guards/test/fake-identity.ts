import { unavailable } from '@olytix/errors'
import type { Answer } from '../src/answer.js'
import type { AuthorizeQuestion, Verdict } from '../src/authorizer.js'
import type { IdentityCalls, KeyUse, Told, Watcher } from '../src/identity-calls.js'
import type { Principal } from '../src/principal.js'

/** An identity that answers when and what it is told to, and whose stream says what it is told to say. */
export class FakeIdentity implements IdentityCalls {
  readonly questions: AuthorizeQuestion[] = []
  readonly reported: KeyUse[] = []
  readonly principals = new Map<string, Principal>()
  /** Credentials that have ended. */
  readonly ended = new Set<string>()
  revision = 1
  ttlMs = 60_000
  isDown = false
  streams: { readonly fromRevision: number; readonly watcher: Watcher; isOpen: boolean }[] = []
  private held: (() => void)[] | undefined

  async ask(question: AuthorizeQuestion): Promise<Answer> {
    this.questions.push(question)
    if (this.isDown) throw unavailable('The identity service')
    const answer = this.answer(question)
    const { held } = this
    if (held) await new Promise<void>((resolve) => held.push(resolve))
    return answer
  }

  watch(fromRevision: number, watcher: Watcher): () => void {
    const stream = { fromRevision, watcher, isOpen: true }
    this.streams.push(stream)
    return () => {
      stream.isOpen = false
    }
  }

  recordUses(uses: readonly KeyUse[]): Promise<void> {
    if (this.isDown) return Promise.reject(unavailable('The identity service'))
    this.reported.push(...uses.map((use) => ({ ...use })))
    return Promise.resolve()
  }

  /** Answers from now on are read at once but arrive only when the returned function is called. */
  hold(): () => void {
    const held: (() => void)[] = []
    this.held = held
    return () => {
      this.held = undefined
      for (const release of held) release()
    }
  }

  /** Something changes, and the stream says so. */
  change(...ids: string[]): void {
    this.revision += ids.length
    this.tell({ changes: ids })
  }

  tell(told: Partial<Told> = {}): void {
    const stream = this.streams.at(-1)
    if (!stream) throw new Error('nobody watches')
    stream.watcher.onTold({ revision: this.revision, resync: false, changes: [], ...told })
  }

  endStream(): void {
    this.streams.at(-1)?.watcher.onEnd()
  }

  private answer(question: AuthorizeQuestion): Answer {
    const { text } = question.credential
    const principal = this.principals.get(text)
    const verdict = this.verdict(question, principal)
    const ttlMs = verdict.decision === 'allow' ? this.ttlMs : 0
    const dependsOn = principal
      ? [principal.id, ...principal.roles.map((role) => `role:${role}`)]
      : []
    return { verdict, reuse: { ttlMs, dependsOn, revision: this.revision, bytes: 100 } }
  }

  private verdict(
    { credential, requiredScopes }: AuthorizeQuestion,
    principal: Principal | undefined,
  ): Verdict {
    if (this.ended.has(credential.text)) {
      return { decision: 'unidentified', reason: 'revoked_credential' }
    }
    if (!principal) return { decision: 'unidentified', reason: 'unknown_credential' }
    return requiredScopes.every((scope) => principal.scopes.includes(scope))
      ? { decision: 'allow', principal }
      : { decision: 'refused', reason: 'insufficient_scope', principal }
  }
}
