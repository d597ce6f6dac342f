import type { Command } from 'commander'
import { ApiRefusal } from '../api/api-errors.js'
import type { TokenPair } from '../api/identity-answers.js'
import { printable } from '../output/printable.js'
import { changeProfile } from '../profile/change-profile.js'
import type { StoredSession } from '../profile/read-profile.js'
import { toSession } from '../session/session-credential.js'
import type { CommandContext, SignInServer } from './command-context.js'

export function addLogin(auth: Command, context: CommandContext): void {
  const command = auth
    .command('login')
    .description('sign in with e-mail address and password; the profile keeps the session')
    .option('--email <address>', 'asked for when absent; the password comes on standard input')
  command.action(async ({ email }: { readonly email?: string }) => {
    const server = await context.signInServer()
    const given = await credentials(command, context, email)
    const session = toSession(given.email, await signIn(server, given))
    await keep(server, session)
    const { url, profileFile, override } = server
    if (override)
      context.note(`${override} is set and goes before this session; unset it to use it.`)
    context.answer(
      { url: url.href, email: given.email, profile: profileFile },
      () =>
        `Signed in to ${url.href} as ${printable(given.email)}.\nThe session is kept in ${printable(profileFile)}; \`olytix-core auth logout\` ends it.\n`,
    )
  })
}

interface Credentials {
  readonly email: string
  readonly password: string
}

async function credentials(
  command: Command,
  context: CommandContext,
  given: string | undefined,
): Promise<Credentials> {
  if (given === undefined && !context.isInteractive) {
    command.error('name the account with --email; standard input holds the password')
  }
  const password = { prompt: 'Password: ' }
  const [email = '', secret = ''] =
    given === undefined
      ? await context.readAnswers([{ prompt: 'E-mail: ', isShown: true }, password])
      : [given, ...(await context.readAnswers([password]))]
  if (email.trim() === '') command.error('an e-mail address is expected')
  if (secret === '') command.error('there is no password on standard input')
  return { email: email.trim(), password: secret }
}

async function signIn({ api }: SignInServer, { email, password }: Credentials): Promise<TokenPair> {
  try {
    return await api.issueToken(email, password)
  } catch (error) {
    if (error instanceof ApiRefusal && error.status === 401) {
      error.hint = 'E-mail address or password is wrong, or the account cannot sign in.'
    }
    throw error
  }
}

/** The session that was there before is of no more use to anybody. */
async function keep(server: SignInServer, session: StoredSession): Promise<void> {
  let former: StoredSession | undefined
  await changeProfile(server.profileFile, (before) => {
    former = before?.session
    return { url: server.url.href, ...before, session }
  })
  if (former) await server.api.revokeToken(former.refreshToken.reveal()).catch(() => undefined)
}
