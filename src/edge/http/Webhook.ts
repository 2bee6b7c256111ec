import { reason } from '../Fault.ts'
import { encode } from '../Json.ts'

/** Where events are posted, and how hard that is tried. */
export interface WebhookOptions {
  readonly url: string
  /** Times that one event is posted at most (6 unless given), and milliseconds before the second, doubled each time (1000). */
  readonly tries?: number
  readonly wait?: number
  /** Milliseconds for an answer: 10,000 unless given. */
  readonly patience?: number
  /** Events that wait at most: 1,000 unless given. The oldest is dropped for a newer one. */
  readonly most?: number
  /** Told in a sentence of every event that was not delivered. */
  readonly onTrouble?: (why: string) => void
}

/** Posts events as JSON, one after another; whoever tells it something never waits for it. */
export interface Webhook {
  tell(event: unknown): void
  /** Resolves when nothing waits any more. */
  idle(): Promise<void>
  /** Drops what waits. */
  close(): void
}

/** A webhook: any status of 200 to 299 is a delivery, everything else is tried again. */
export function webhook(options: WebhookOptions): Webhook {
  const { url, tries = 6, wait = 1000, patience = 10_000, most = 1000, onTrouble = () => {} } = options
  const waiting: string[] = []
  let closed = false
  let work: Promise<void> | undefined

  async function post(body: string): Promise<string | undefined> {
    try {
      const headers = { 'content-type': 'application/json' }
      const signal = AbortSignal.timeout(patience)
      const answer = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'error' })
      await answer.body?.cancel()
      return answer.ok ? undefined : `status ${answer.status}`
    } catch (why) {
      return reason(why)
    }
  }

  async function deliver(body: string): Promise<void> {
    let why: string | undefined
    for (let n = 0; n < tries && !closed; n++) {
      if (n > 0) await new Promise((done) => setTimeout(done, wait * 2 ** (n - 1)))
      why = await post(body)
      if (why === undefined) return
    }
    onTrouble(`${url} did not take an event in ${tries} tries (${why ?? 'closed'}): see the log for what it was`)
  }

  async function run(): Promise<void> {
    for (let body = waiting.shift(); body !== undefined; body = waiting.shift()) await deliver(body)
    work = undefined
  }

  return {
    tell(event) {
      if (closed) return
      waiting.push(encode(event))
      if (waiting.length > most) {
        waiting.shift()
        onTrouble(`more than ${most} events wait for ${url}: the oldest is dropped`)
      }
      work ??= run()
    },
    async idle() {
      while (work) await work
    },
    close() {
      closed = true
      waiting.splice(0)
    },
  }
}
