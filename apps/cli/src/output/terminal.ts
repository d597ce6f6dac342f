import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'

/** The three streams of a process. */
export interface Terminal {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }
}

/** What a person is asked for, one line each. */
export interface Question {
  readonly prompt: string
  /** Shown while it is typed; what is secret is not. */
  readonly isShown?: boolean
}

/** The person at the terminal went away instead of answering. */
export class NoAnswer extends Error {
  constructor() {
    super('nothing was entered')
    this.name = 'NoAnswer'
  }
}

/** A secret from standard input: the first line, asked for without echo when a person sits there. */
export async function readSecret(terminal: Terminal, prompt: string): Promise<string> {
  const [secret = ''] = await readAnswers(terminal, [{ prompt }])
  return secret.trim()
}

/**
 * One line of standard input for each question, without its line end: asked for at a terminal, else as they come.
 * What is missing at the end is empty.
 * @throws NoAnswer when a person ends the input
 */
export async function readAnswers(
  terminal: Terminal,
  questions: readonly Question[],
): Promise<readonly string[]> {
  if (terminal.stdin.isTTY) return askPerson(terminal, questions)
  const chunks: Buffer[] = []
  for await (const chunk of terminal.stdin) chunks.push(Buffer.from(chunk))
  const lines = Buffer.concat(chunks).toString('utf8').split(/\r?\n/)
  return questions.map((_question, at) => lines[at] ?? '')
}

async function askPerson(
  terminal: Terminal,
  questions: readonly Question[],
): Promise<readonly string[]> {
  const output = new Curtain(terminal.stderr)
  const reader = createInterface({ input: terminal.stdin, output, terminal: true })
  // At once: what is pasted behind a line may answer a question that must not be shown.
  reader.on('line', () => (output.isOpen = false))
  const lines = reader[Symbol.asyncIterator]()
  try {
    const answers: string[] = []
    for (const { prompt, isShown = false } of questions) {
      output.isOpen = isShown
      reader.setPrompt(prompt)
      reader.prompt()
      if (!isShown) terminal.stderr.write(prompt)
      const line = await lines.next()
      if (!isShown) terminal.stderr.write('\n')
      if (line.done) throw new NoAnswer()
      answers.push(line.value)
    }
    return answers
  } finally {
    reader.close()
  }
}

/** Shows what is typed while it is open. */
class Curtain extends Writable {
  isOpen = false

  constructor(private readonly behind: NodeJS.WritableStream) {
    super()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.isOpen) this.behind.write(chunk)
    done()
  }
}
