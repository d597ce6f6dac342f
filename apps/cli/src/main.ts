import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { z } from 'zod'
import { browserOpener } from './browser/open-browser.js'
import { runCli } from './program.js'

const manifest = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')))

// `olytix-core query … | head` closes the pipe early: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1)
})

process.exitCode = await runCli(process.argv.slice(2), {
  version: manifest.version,
  terminal: process,
  surroundings: {
    environment: process.env,
    folder: process.cwd(),
    home: homedir(),
    userId: process.getuid?.(),
  },
  openBrowser: browserOpener(process.env['BROWSER'], process.platform),
  onInterrupt: (listener) => {
    process.once('SIGINT', listener)
    return () => process.off('SIGINT', listener)
  },
})
