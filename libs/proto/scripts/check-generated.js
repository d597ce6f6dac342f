/** Fails when `src/gen` or the descriptor image differ from what the .proto files give. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const scratch = mkdtempSync(path.join(tmpdir(), 'olytix-proto-'))
const buf = (...args) => execFileSync('npx', ['--no-install', 'buf', ...args], { stdio: 'inherit' })
try {
  buf('generate', '-o', scratch)
  execFileSync('diff', ['-r', 'src/gen', path.join(scratch, 'src/gen')], { stdio: 'inherit' })
  const image = path.join(scratch, 'image.binpb')
  buf('build', '-o', image)
  if (!readFileSync(image).equals(readFileSync('olytix-identity-v1.binpb'))) {
    throw new Error('olytix-identity-v1.binpb is stale: run npm run proto')
  }
  buf('breaking', '--against', 'released.binpb')
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
