/**
 * `npm start`: builds what has changed, then runs the stack in this process. `--no-build` runs what is built already.
 * A committed JavaScript file, so that it works right after `npm ci`.
 */
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '../../..')

if (!process.argv.includes('--no-build')) await build()
await import('../dist/main.js')

async function build() {
  console.log('Building (only what has changed) …')
  const nx = createRequire(import.meta.url).resolve('nx/bin/nx.js', { paths: [root] })
  const child = spawn(
    process.execPath,
    [nx, 'run-many', '-t', 'build', '--output-style=static'],
    // Nx's full-screen interface would hide what is said afterwards.
    { cwd: root, stdio: 'inherit', env: { ...process.env, NX_TUI: 'false', NX_DAEMON: 'false' } },
  )
  let stopped = false
  const stop = () => {
    stopped = true
    child.kill('SIGTERM')
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop)
  const code = await new Promise((resolve) => child.once('close', resolve))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeListener(signal, stop)
  if (stopped) process.exit(0)
  if (code !== 0) {
    console.error('The build failed: see above.')
    process.exit(1)
  }
}
