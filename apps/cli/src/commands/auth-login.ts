import type { Command } from 'commander'
import { ApiRefusal } from '../api/api-errors.js'
import { printable } from '../output/printable.js'
import { changeProfile } from '../profile/change-profile.js'
import type { StoredSession } from '../profile/read-profile.js'
import { signInAtProvider } from '../session/provider-sign-in.js'
import { toSession } from '../session/session-credential.js'
import type { CommandContext, SignInServer } from './command-context.js'

/** How long somebody may take in the browser; the provider's own page is open for ten minutes. */
const BROWSER_TIMEOUT_MS = 5 * 60_000

interface LoginOptions {
  readonly email?: string
  readonly provider?: string
}

export function addLogin(auth: Command, context: CommandContext): void {
  const command = auth
    .command('login')
    .description('sign in with e-mail address and password, or with a provider in the browser')
    .option('--email <address>', 'asked for when absent; the password comes on standard input')
    .option('--provider <name>', 'sign in with this provider, as in google')
  command.action(async ({ email, provider }: LoginOptions) => {
    if (email !== undefined && provider !== undefined) {
      command.error('--email belongs to a password; the provider says by itself who you are')
    }
    const server = await context.signInServer()
    const session =
      provider === undefined
        ? await withPassword(server, await credentials(command, context, email))
        : await withProvider(server, context, provider)
    await keep(server, session)
    const { url, profileFile, override } = server
    if (override)
      context.note(`${override} is set and goes before this session; unset it to use it.`)
    context.answer(
      { url: url.href, email: session.email, profile: profileFile },
      () =>
        `Signed in to ${url.href} as ${printable(session.email)}.\nThe session is kept in ${printable(profileFile)}; \`olytix-core auth logout\` ends it.\n`,
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

async function withPassword(
  { api }: SignInServer,
  { email, password }: Credentials,
): Promise<StoredSession> {
  try {
    return toSession(email, await api.issueToken(email, password))
  } catch (error) {
    if (error instanceof ApiRefusal && error.status === 401) {
      error.hint = 'E-mail address or password is wrong, or the account cannot sign in.'
    }
    throw error
  }
}

async function withProvider(
  { api }: SignInServer,
  context: CommandContext,
  provider: string,
): Promise<StoredSession> {
  const pair = await signInAtProvider({
    api,
    provider,
    timeoutMs: BROWSER_TIMEOUT_MS,
    openBrowser: context.openBrowser,
    note: (text) => {
      context.note(text)
    },
  })
  try {
    const { email, name } = await api.whoHolds(pair.access_token)
    return toSession(email ?? name, pair)
  } catch (error) {
    // The session stands in no profile yet, so that nobody could end it later.
    await api.revokeToken(pair.refresh_token).catch(() => undefined)
    throw error
  }
}

/** The session that was there before is of no more use to anybody; nor is one that stands in no profile. */
async function keep(server: SignInServer, session: StoredSession): Promise<void> {
  let former: StoredSession | undefined
  try {
    await changeProfile(server.profileFile, (before) => {
      former = before?.session
      return { url: server.url.href, ...before, session }
    })
  } catch (error) {
    await forget(server, session)
    throw error
  }
  if (former) await forget(server, former)
}

async function forget({ api }: SignInServer, { refreshToken }: StoredSession): Promise<void> {
  await api.revokeToken(refreshToken.reveal()).catch(() => undefined)
}
