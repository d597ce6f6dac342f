import type { Command } from 'commander'
import { printable } from '../output/printable.js'
import { changeProfile } from '../profile/change-profile.js'
import type { CommandContext } from './command-context.js'

export function addLogout(auth: Command, context: CommandContext): void {
  auth
    .command('logout')
    .description('end the session of the profile, at the server too')
    .action(async () => {
      const { api, profile, profileFile } = await context.signInServer()
      if (!profile?.session) {
        context.answer({ signed_out: false }, () => `Nobody is signed in at ${profileFile}.\n`)
        return
      }
      const { email } = profile.session
      // Under the lock, so that nobody renews the session in between.
      await changeProfile(profileFile, async (before) => {
        if (!before?.session) return before
        await api.revokeToken(before.session.refreshToken.reveal())
        return before.apiKey ? { url: before.url, apiKey: before.apiKey } : undefined
      })
      context.answer({ signed_out: true, email }, () => `Signed out: ${printable(email)}\n`)
    })
}
