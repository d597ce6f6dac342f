import { type Session, sessionPage } from './identity-answers.js'
import { pages } from './pages.js'
import { command, type Endpoint } from './transport.js'

/** What a signed-in user does with his own account. Every method throws what `call` throws. */
export class AccountApi {
  constructor(private readonly endpoint: Endpoint) {}

  /** The user's other sessions end. */
  changePassword(currentPassword: string, newPassword: string): Promise<void> {
    const body = { current_password: currentPassword, new_password: newPassword }
    return command(this.endpoint, { method: 'POST', path: 'api/v1/auth/password', body })
  }

  /** All his live sessions, every page of them. */
  async listSessions(): Promise<readonly Session[]> {
    const sessions: Session[] = []
    const list = { path: 'api/v1/auth/sessions' }
    for await (const page of pages(this.endpoint, list, sessionPage)) {
      sessions.push(...page.sessions)
    }
    return sessions
  }

  endSession(id: string): Promise<void> {
    const path = `api/v1/auth/sessions/${encodeURIComponent(id)}`
    return command(this.endpoint, { method: 'DELETE', path })
  }
}
