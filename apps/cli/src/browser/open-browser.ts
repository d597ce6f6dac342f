import { spawn } from 'node:child_process'

/** Shows an address to the person at this machine. `false` when there is nothing here that could. */
export type OpenBrowser = (url: URL) => Promise<boolean>

interface BrowserCommand {
  readonly program: string
  readonly args: readonly string[]
}

/** Starts the browser of `$BROWSER`, else the one that the system has for addresses; does not wait for its end. */
export function browserOpener(browser: string | undefined, platform: NodeJS.Platform): OpenBrowser {
  return (url) =>
    new Promise((resolve) => {
      const { program, args } = browserCommand(url, browser, platform)
      const child = spawn(program, args, { stdio: 'ignore', detached: true })
      child.on('error', () => {
        resolve(false)
      })
      child.on('spawn', () => {
        child.unref()
        resolve(true)
      })
    })
}

/**
 * What to run. `$BROWSER` is the first of a list with colons: a program and its arguments, `%s` standing for the
 * address. No shell sees any of it.
 */
export function browserCommand(
  url: URL,
  browser: string | undefined,
  platform: NodeJS.Platform,
): BrowserCommand {
  const [program, ...args] = (browser ?? '').split(':')[0]?.trim().split(/\s+/) ?? []
  if (!program) return systemCommand(url, platform)
  const isPlaced = args.some((arg) => arg.includes('%s'))
  return {
    program,
    args: isPlaced ? args.map((arg) => arg.replaceAll('%s', () => url.href)) : [...args, url.href],
  }
}

function systemCommand({ href }: URL, platform: NodeJS.Platform): BrowserCommand {
  if (platform === 'darwin') return { program: 'open', args: [href] }
  if (platform === 'win32') {
    return { program: 'rundll32', args: ['url.dll,FileProtocolHandler', href] }
  }
  return { program: 'xdg-open', args: [href] }
}
