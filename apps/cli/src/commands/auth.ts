import type { Command } from 'commander'
import { addAudit } from './auth-audit.js'
import { addCreateKey } from './auth-create-key.js'
import { addKeyUsage } from './auth-key-usage.js'
import { addListKeys } from './auth-list-keys.js'
import { addLogin } from './auth-login.js'
import { addLogout } from './auth-logout.js'
import { addPassword, addResetPassword } from './auth-password.js'
import { addRevokeKey } from './auth-revoke-key.js'
import { addRotateKey } from './auth-rotate-key.js'
import { addEndSession, addSessions } from './auth-sessions.js'
import { addSigningKeys } from './auth-signing-keys.js'
import { addUpdateKey } from './auth-update-key.js'
import type { CommandContext } from './command-context.js'
import { addWhoami } from './whoami.js'

export function addAuth(program: Command, context: CommandContext): void {
  const auth = program
    .command('auth')
    .description('API keys, signing in, the audit trail, and who you are')
  addCreateKey(auth, context)
  addListKeys(auth, context)
  addUpdateKey(auth, context)
  addRotateKey(auth, context)
  addRevokeKey(auth, context)
  addKeyUsage(auth, context)
  addLogin(auth, context)
  addLogout(auth, context)
  addWhoami(auth, context)
  addPassword(auth, context)
  addResetPassword(auth, context)
  addSessions(auth, context)
  addEndSession(auth, context)
  addSigningKeys(auth, context)
  addAudit(auth, context)
}
