import type { Command } from 'commander'
import type { CommandContext } from './command-context.js'

export function addPassword(auth: Command, context: CommandContext): void {
  const command = auth
    .command('password')
    .description('change your password: the present one, then the new one, each on a line')
  command.action(async () => {
    const api = await context.api()
    const [current = '', ...rest] = await context.readAnswers([
      { prompt: 'Present password: ' },
      ...newPasswordQuestions(context),
    ])
    const next = chosenPassword(command, context, rest)
    await api.account.changePassword(current, next)
    context.answer({ changed: true }, () => 'Password Changed: your other sessions have ended.\n')
  })
}

export function addResetPassword(auth: Command, context: CommandContext): void {
  const command = auth
    .command('reset-password')
    .description(
      'choose a password with the token of an invite or a reset: the token, then the password, each on a line',
    )
  command.action(async () => {
    const { api } = await context.signInServer()
    const [token = '', ...rest] = await context.readAnswers([
      { prompt: 'Token: ' },
      ...newPasswordQuestions(context),
    ])
    const next = chosenPassword(command, context, rest)
    await api.redeemPasswordToken(token.trim(), next)
    context.answer(
      { changed: true },
      () => 'Password Set: all sessions have ended.\nNext: olytix-core auth login\n',
    )
  })
}

/** Who types what cannot be seen is asked twice. */
export function newPasswordQuestions(context: CommandContext) {
  const once = { prompt: 'New password: ' }
  return context.isInteractive ? [once, { prompt: 'New password again: ' }] : [once]
}

/** What was answered to `newPasswordQuestions`, if it is a password. */
export function chosenPassword(
  command: Command,
  context: CommandContext,
  [password = '', again]: readonly string[],
): string {
  if (password === '') command.error('there is no new password on standard input')
  if (context.isInteractive && password !== again) command.error('the two passwords differ')
  return password
}
