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
