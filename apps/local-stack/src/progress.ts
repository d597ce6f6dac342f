/** Says what is happening: one line per step, with the time that it took. */
export class Progress {
  /** @param stopRequested a step that it cuts short has not failed */
  constructor(
    private readonly out: NodeJS.WritableStream,
    private readonly stopRequested?: AbortSignal,
  ) {}

  /** Runs `work` and shows `label` while it runs. `work` may give a remark for the end of the line. */
  async step<T>(label: string, work: (remark: (text: string) => void) => Promise<T>): Promise<T> {
    const startedAt = performance.now()
    let remark = ''
    this.out.write(`  ${label} … `)
    try {
      const result = await work((text) => (remark = `${text}, `))
      const seconds = (performance.now() - startedAt) / 1000
      this.out.write(`${remark}${seconds.toFixed(1)} s\n`)
      return result
    } catch (error) {
      this.out.write(this.stopRequested?.aborted ? 'stopped\n' : 'failed\n')
      throw error
    }
  }

  say(text: string): void {
    this.out.write(`${text}\n`)
  }
}
