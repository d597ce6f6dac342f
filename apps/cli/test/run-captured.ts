import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll } from '@jest/globals'
import type { OpenBrowser } from '../src/browser/open-browser.js'
import { type ExitCode, runCli } from '../src/program.js'

export interface Captured {
  readonly exitCode: ExitCode
  readonly stdout: string
  readonly stderr: string
}

interface Setting {
  readonly environment?: Readonly<Record<string, string>>
  readonly folder?: string
  readonly home?: string
  readonly userId?: number
  readonly stdin?: string
  readonly openBrowser?: OpenBrowser
  readonly onInterrupt?: (listener: () => void) => () => void
  /** Whether a person looks at standard error. */
  readonly isWatched?: boolean
}

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

/** A folder of its own, in which no profile is found; gone after the tests of the file. */
export function emptyFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'olytix-cli-'))
  folders.push(folder)
  return folder
}

/** Runs one command line as a process would, and keeps what it wrote. */
export async function runCaptured(
  args: readonly string[],
  setting: Setting = {},
): Promise<Captured> {
  const terminal = terminalOf(setting)
  const folder = setting.folder ?? emptyFolder()
  const exitCode = await runCli(args, {
    version: '9.9.9',
    terminal,
    surroundings: {
      environment: setting.environment ?? {},
      folder,
      home: setting.home ?? folder,
      userId: setting.userId ?? process.getuid?.(),
    },
    onInterrupt: setting.onInterrupt ?? (() => () => undefined),
    openBrowser: setting.openBrowser ?? (() => Promise.resolve(false)),
  })
  return { exitCode, stdout: read(terminal.stdout), stderr: read(terminal.stderr) }
}

function terminalOf({ stdin: typed = '', isWatched = false }: Setting) {
  const stdin = new PassThrough()
  stdin.end(typed)
  const stderr = Object.assign(new PassThrough(), { isTTY: isWatched })
  return { stdin, stdout: new PassThrough(), stderr }
}

function read(stream: PassThrough): string {
  return String(stream.read() ?? '')
}
