import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { browserCommand, browserOpener } from './open-browser.js'

const url = new URL('https://olytix.example/authorize?a=1&b=$(reboot);c')

describe('the browser', () => {
  test.each([
    ['firefox', 'firefox', [url.href]],
    ['firefox:chromium', 'firefox', [url.href]],
    ['firefox --new-window', 'firefox', ['--new-window', url.href]],
    ['open-it --at %s --quiet', 'open-it', ['--at', url.href, '--quiet']],
  ])('is the one of BROWSER=%j', (browser, program, args) => {
    expect(browserCommand(url, browser, 'linux')).toEqual({ program, args })
  })

  test.each([
    ['linux', undefined, 'xdg-open'],
    ['linux', '', 'xdg-open'],
    ['linux', ' : ', 'xdg-open'],
    ['freebsd', undefined, 'xdg-open'],
    ['darwin', undefined, 'open'],
    ['win32', undefined, 'rundll32'],
  ] as const)('is the one of %s when BROWSER is %j', (platform, browser, program) => {
    const command = browserCommand(url, browser, platform)
    expect(command.program).toBe(program)
    expect(command.args.at(-1)).toBe(url.href)
  })

  test('gets the address as one argument, whatever a shell would read in it', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'olytix-browser-'))
    const file = path.join(folder, 'address')
    const script = path.join(folder, 'browser.cjs')
    writeFileSync(
      script,
      `const fs = require('node:fs')
      fs.writeFileSync('${file}.part', process.argv[2])
      fs.renameSync('${file}.part', '${file}')`,
    )
    expect(await browserOpener(`${process.execPath} ${script} %s`, 'linux')(url)).toBe(true)
    const deadline = Date.now() + 20_000
    while (!existsSync(file) && Date.now() < deadline) await new Promise(setImmediate)
    expect(readFileSync(file, 'utf8')).toBe(url.href)
    rmSync(folder, { recursive: true })
  })

  test('that does not exist is reported, not thrown', async () => {
    expect(await browserOpener('/nowhere/browser', 'linux')(url)).toBe(false)
  })
})
