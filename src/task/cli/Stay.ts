/** A line of progress with the time, UTC. */
export function stamped(text: string): string {
  return `${new Date().toISOString().slice(0, 19).replace('T', ' ')}  ${text}`
}

/** Resolves when the process is told to end, by a signal or by the end of whoever started it. */
export function interrupted(): Promise<void> {
  return new Promise((done) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => done())
    process.once('disconnect', () => done())
  })
}

/** What ends with something that stays, what began last first. */
export type Ends = (() => unknown)[]

/** Whatever keeps one part of what failed from ending is not why it ends, and must not keep the others. */
export async function endAll(ends: Ends, isFailed: boolean): Promise<void> {
  for (const end of ends.reverse()) {
    try {
      await end()
    } catch (why) {
      if (!isFailed) throw why
    }
  }
}
