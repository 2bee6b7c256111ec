import { ETHER, type Hex } from '../core/base/Bytes.ts'
import { verdictKey } from '../core/base/Verdicts.ts'
import { unpackLocks } from '../core/channel/Lock.ts'
import { verdictOn } from '../core/channel/LockTime.ts'
import type { PeerInput } from '../core/channel/Peer.ts'
import type { PeerState, Seat } from '../core/channel/PeerState.ts'
import type { Chain } from '../edge/chain/Chain.ts'
import type { Place } from './Places.ts'

/** A key that has come into a channel, and the newest block that the channel had seen by then. */
interface Doubt {
  readonly condition: Hex
  readonly key: Hex
  readonly since: number
  /** Whether it was asked about at all. */
  asked: boolean
}

interface Asked {
  locks: PeerState['locks']
  listed: Hex
  /** All keys of the channel; those about which nothing more is to be asked have no doubt. */
  keys: Map<Hex, Doubt | undefined>
  running: Promise<void> | undefined
}

type Asker = Pick<Chain<never, never>, 'head' | 'verdict'>

/**
 * Asks the court what it decided about the keys of open locks before their channel cared for them: of that its blocks tell
 * nothing any more. Only final answers count: each key is asked about at once, and again when the block is final with
 * which it came.
 */
export class Inquiry {
  readonly #chain: Asker
  readonly #tell: (id: Hex, input: PeerInput) => Promise<void>
  readonly #onFault: (why: unknown) => void
  readonly #asked = new Map<Hex, Asked>()
  #stopped = false

  constructor(chain: Asker, tell: (id: Hex, input: PeerInput) => Promise<void>, onFault: (why: unknown) => void) {
    this.#chain = chain
    this.#tell = tell
    this.#onFault = onFault
  }

  /** Looks for keys about which something is to be asked; resolves once the channel has stored what came of it. */
  look({ seat, state }: Place): Promise<void> | undefined {
    const { locks, watch, finished } = state
    const listed = watch.newest.locks
    if (finished || (locks.length === 0 && listed === '0x')) {
      this.#asked.delete(seat.id)
      return undefined
    }
    const asked = this.#of(seat.id)
    if (asked.locks !== locks || asked.listed !== listed) note(asked, state)
    asked.running ??= this.#ask(seat, state, asked)
    return asked.running
  }

  /** Asks nothing more. */
  stop(): void {
    this.#stopped = true
  }

  #of(id: Hex): Asked {
    const asked = this.#asked.get(id) ?? { locks: [], listed: '0x', keys: new Map(), running: undefined }
    this.#asked.set(id, asked)
    return asked
  }

  #ask(seat: Seat, { watch }: PeerState, asked: Asked): Promise<void> | undefined {
    const due = [...asked.keys.values()].filter((one) => one && (!one.asked || one.since <= final(watch.head, seat)))
    if (due.length === 0) return undefined
    return this.#askAll(seat, asked, due as Doubt[])
      .catch((why) => (this.#stopped ? undefined : this.#onFault(why)))
      .finally(() => {
        asked.running = undefined
      })
  }

  async #askAll(seat: Seat, { keys }: Asked, due: readonly Doubt[]): Promise<void> {
    const at = final(await this.#chain.head(), seat)
    for (const doubt of due) {
      const { condition, key, since } = doubt
      const verdict = at < 0 ? undefined : await this.#chain.verdict(condition, key, at)
      if (this.#stopped) return
      if (verdict) await this.#tell(seat.id, { kind: 'verdict', condition, key, verdict })
      doubt.asked = true
      if (verdict || since <= at) keys.set(nameOf(doubt), undefined)
    }
  }
}

/** What tells a key from all others: of a hash lock it is the key itself. */
function nameOf({ condition, key }: Pick<Doubt, 'condition' | 'key'>): Hex {
  return condition === ETHER ? key : verdictKey(condition, key)
}

/** The newest final block where `head` is the newest one. */
function final(head: number, { confirmations }: Seat): number {
  return head - confirmations + 1
}

/** The keys of a channel now: what was asked of those that were there before stays. */
function note(asked: Asked, { locks, watch }: PeerState): void {
  const { newest } = watch
  const { locks: listed } = newest
  const keys = new Map<Hex, Doubt | undefined>()
  for (const lock of [...locks, ...unpackLocks(listed)]) {
    const { condition, key } = lock
    const name = nameOf(lock)
    if (asked.keys.has(name)) keys.set(name, asked.keys.get(name))
    else keys.set(name, verdictOn(newest, lock) ? undefined : { condition, key, since: watch.head, asked: false })
  }
  Object.assign(asked, { locks, listed, keys })
}
