import { accessSync, constants } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const KNOWN_PATHS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** `OLYTIX_TEST__CHROMIUM`, else one where systems keep it; `undefined` when there is none. */
export function findChromium(): string | undefined {
  const named = process.env['OLYTIX_TEST__CHROMIUM']
  return (named ? [named] : KNOWN_PATHS).find(isExecutable)
}

export function launchChromium(executablePath: string): Promise<Browser> {
  const quiet = ['--disable-gpu', '--disable-background-networking', '--disable-component-update']
  // Its sandbox refuses to work for root.
  return chromium.launch({ executablePath, chromiumSandbox: process.getuid?.() !== 0, args: quiet })
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
