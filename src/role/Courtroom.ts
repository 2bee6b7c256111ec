import type { Hex } from '../core/base/Bytes.ts'
import { Refusal } from '../core/base/Step.ts'
import type { ChannelCall, ChannelEvent } from '../core/channel/Call.ts'
import type { Chain } from '../edge/chain/Chain.ts'

/** The court's refusals that say: somebody was faster, or it is not time yet. The next block decides again. */
const BENIGN = new Set([
  'StaleVersion',
  'ChannelClosed',
  'ChallengeRunning',
  'TooLate',
  'NoChallenge',
  'NothingDecided',
  'WrongWithdrawal',
])

/** A node's calls to the court: of each verb one a channel at a time, whatever is asked for meanwhile. */
export class Courtroom {
  readonly #chain: Pick<Chain<ChannelCall, ChannelEvent>, 'send'>
  readonly #onFault: (why: unknown) => void
  readonly #busy = new Set<string>()

  constructor(chain: Pick<Chain<ChannelCall, ChannelEvent>, 'send'>, onFault: (why: unknown) => void) {
    this.#chain = chain
    this.#onFault = onFault
  }

  /** Sends a call about a channel, unless one of its verb is on its way; it is of use until a time, in seconds. */
  call(id: Hex, call: ChannelCall, until: number | undefined): void {
    const key = `${id}/${call.verb}`
    if (this.#busy.has(key)) return
    this.#busy.add(key)
    this.#chain
      .send(call, until)
      .catch((why) => {
        if (!(why instanceof Refusal && BENIGN.has(why.code))) this.#onFault(why)
      })
      .finally(() => this.#busy.delete(key))
  }
}
