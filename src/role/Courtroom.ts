import type { Hex } from '../core/base/Bytes.ts'
import { Refusal } from '../core/base/Step.ts'
import type { ChannelCall, ChannelEvent } from '../core/channel/Call.ts'
import type { Chain } from '../edge/chain/Chain.ts'
import { encode } from '../edge/Json.ts'

/**
 * The court's refusals that say: somebody was faster, or it is not time yet. The next block decides again. Locks are wrong
 * for who settles in the same block after the other side: what it left open stands under a new root by then.
 */
const BENIGN = new Set([
  'StaleVersion',
  'ChannelClosed',
  'ChallengeRunning',
  'TooLate',
  'NoChallenge',
  'NothingDecided',
  'WrongLocks',
  'WrongWithdrawal',
])

interface Wanted {
  readonly call: ChannelCall
  readonly until: number | undefined
}

/** A node's calls to the court: of each verb one a channel at a time, and the newest that was asked for meanwhile after it. */
export class Courtroom {
  readonly #chain: Pick<Chain<ChannelCall, ChannelEvent>, 'send'>
  readonly #onFault: (why: unknown) => void
  /** The newest wish by channel and verb, while a call is on its way. */
  readonly #wanted = new Map<string, Wanted>()
  #isStopped = false

  constructor(chain: Pick<Chain<ChannelCall, ChannelEvent>, 'send'>, onFault: (why: unknown) => void) {
    this.#chain = chain
    this.#onFault = onFault
  }

  /** Sends a call about a channel, once none of its verb is on its way; it is of use until a time, in seconds. */
  call(id: Hex, call: ChannelCall, until: number | undefined): void {
    const key = `${id}/${call.verb}`
    const isBusy = this.#wanted.has(key)
    this.#wanted.set(key, { call, until })
    if (!isBusy) this.#send(key, { call, until })
  }

  /** What is on its way cannot be taken back; nothing more is sent. */
  stop(): void {
    this.#isStopped = true
  }

  #send(key: string, { call, until }: Wanted): void {
    this.#chain
      .send(call, until)
      .catch((why) => {
        if (!(why instanceof Refusal && BENIGN.has(why.code))) this.#onFault(why)
      })
      .finally(() => {
        const newest = this.#wanted.get(key)!
        // The same again waits for the next block; another call must not: on a quiet chain no block may come without it.
        if (!this.#isStopped && encode(newest.call) !== encode(call)) this.#send(key, newest)
        else this.#wanted.delete(key)
      })
  }
}
