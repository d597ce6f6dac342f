import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

/** The three streams of a process. */
export interface Terminal {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
}

/** A secret from standard input: the first line, asked for without echo when a person sits there. */
export async function readSecret(terminal: Terminal, prompt: string): Promise<string> {
  if (terminal.stdin.isTTY) return askWithoutEcho(terminal, prompt)
  let text = ''
  for await (const chunk of terminal.stdin) text += chunk.toString()
  return text.trim()
}

async function askWithoutEcho(terminal: Terminal, prompt: string): Promise<string> {
  terminal.stderr.write(prompt)
  const mute = new Writable({
    write(_chunk, _encoding, done) {
      done()
    },
  })
  const reader = createInterface({ input: terminal.stdin, output: mute, terminal: true })
  try {
    return (await reader.question('')).trim()
  } finally {
    reader.close()
    terminal.stderr.write('\n')
  }
}
