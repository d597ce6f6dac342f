import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { rememberSecrets } from './secrets.js'
import { stack } from './stack.js'
import { withoutOurs } from './stack-process.js'

const BIN = path.resolve(import.meta.dirname, '../../apps/cli/bin/olytix-core.js')

export interface CliResult {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs `olytix-core` as a person would, against the stack and as its admin unless told otherwise. */
export function olytixCore(
  args: readonly string[],
  setting: {
    readonly key?: string
    readonly stdin?: string
    readonly environment?: Readonly<Record<string, string>>
  } = {},
): Promise<CliResult> {
  const environment = setting.environment ?? {
    OLYTIX_URL: stack.query_api_url,
    OLYTIX_API_KEY: setting.key ?? stack.admin_api_key,
  }
  const child = spawn(process.execPath, [BIN, ...args], {
    env: { ...withoutOurs(process.env), ...environment },
    // Away from the repository, where somebody's own `npm start` may have left a profile.
    cwd: tmpdir(),
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  child.stdin.end(setting.stdin ?? '')
  return new Promise((resolve) => {
    child.on('close', (exitCode) => {
      rememberSecrets(stdout)
      resolve({ exitCode, stdout, stderr })
    })
  })
}
