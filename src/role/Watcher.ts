import type { Hex } from '../core/base/Bytes.ts'
import { addressOf, type Domain, domain, sign } from '../core/base/Signature.ts'
import type { L1Input } from '../core/base/Step.ts'
import type { Alarm } from '../core/plasma/Alarm.ts'
import { answerCall } from '../core/plasma/Answer.ts'
import { bookmarkOf } from '../core/plasma/Archive.ts'
import type { PlasmaCall } from '../core/plasma/Call.ts'
import type { Chain as PlasmaChain } from '../core/plasma/Chain.ts'
import { OWN_PERMIT, type Permit, startExitDigest } from '../core/plasma/Exit.ts'
import { isSynced } from '../core/plasma/Follower.ts'
import { type Escape, escapeCall, type GuardParams, type OwnerPermit } from '../core/plasma/Guard.ts'
import { observe } from '../core/plasma/Ledger.ts'
import { allExits } from '../core/plasma/Running.ts'
import type { SeenEvent } from '../core/plasma/Seen.ts'
import {
  knowledgeOf,
  restoreWatcher,
  type WatcherInput,
  type WatcherOutput,
  type WatcherState,
  watcherMachine,
} from '../core/plasma/Watcher.ts'
import type { Chain } from '../edge/chain/Chain.ts'
import type { WatcherApi, WatcherStatus } from '../edge/http/WatcherServer.ts'
import type { Checker } from '../edge/signature/Checker.ts'
import type { Store } from '../edge/store/Store.ts'
import { checked } from './Checking.ts'
import { Loop } from './Loop.ts'
import { type BlockSource, blockIn, servedBy } from './Serving.ts'

/** An owner whose key a watcher has: 32 bytes. */
export interface GuardedOwner {
  readonly key: Hex
  /** Sends as the owner, who posts the bonds then; without it the watcher's account does, and nothing in flight is saved. */
  readonly l1?: Chain<PlasmaCall, SeenEvent>
}

/** What a watcher runs on. Its L1 client pays the gas of its challenges and earns half of each bond. */
export interface WatcherOptions {
  readonly l1: Chain<PlasmaCall, SeenEvent>
  readonly store: Store
  readonly operator: BlockSource
  /** Others who may have a block that the operator does not serve; they are asked in turn. */
  readonly others?: readonly BlockSource[]
  /** The chain and those above it: root level first, its own last. */
  readonly path: readonly PlasmaChain[]
  /** L1 blocks that must stand on a block before it is believed. */
  readonly depth: number
  /** Seconds after which a block that nobody serves is withheld, and before a payment in which to warn. */
  readonly patience: number
  readonly warning: number
  /** Those whose money it brings to layer 1 by itself; with a client of its own account an owner's payments too. */
  readonly owners?: readonly GuardedOwner[]
  /** Bonds that may be out at once for them, its own and theirs; 256 unless given. */
  readonly maxBonds?: number
  /** Checks signatures, in other threads; in this one unless given. It is its opener's to close. */
  readonly checker?: Checker
  /** L1 block from which an empty store follows. */
  readonly from: number
  /** Milliseconds between questions for a block that did not come; without it every L1 block asks, and `tick`. */
  readonly interval?: number
  readonly onAlarm: (alarm: Alarm) => void
  /** Told of everything that it does, for logs. */
  readonly onOutput?: (output: WatcherOutput) => void
  /** Told why a challenge or a question failed; both are tried again. */
  readonly onTrouble?: (why: unknown) => void
  /** Told once if the watcher had to stop. */
  readonly onFailure: (why: unknown) => void
  readonly schedule?: (run: () => void) => void
}

/** A watcher: executes every block again, answers every exit of what was spent and whoever doubts a block, warns. */
export class Watcher {
  readonly #options: WatcherOptions
  readonly #court: Domain
  readonly #loop: Loop<WatcherState, WatcherInput, WatcherOutput>
  readonly #unfollow: () => void
  readonly #listeners = new Set<{ readonly listen: (alarm: Alarm) => void }>()
  #finding = false
  #asked: { readonly number: number; readonly times: number } | undefined
  readonly #timer: NodeJS.Timeout | undefined

  constructor(options: WatcherOptions) {
    const { l1, store, from, depth, patience, interval } = options
    this.#court = domain(l1.chainId, l1.court)
    const params = { court: this.#court, path: options.path, depth, patience }
    this.#options = options
    this.#loop = new Loop({
      machine: watcherMachine({ warning: options.warning, guard: this.#guard() }),
      state: restoreWatcher(params, store, from),
      store,
      speak: (output) => this.#speak(output),
      onFailure: (why) => this.#fail(why),
      schedule: options.schedule ?? setImmediate,
    })
    const onL1 = (input: L1Input<SeenEvent>) => {
      this.#loop.post({ kind: 'l1', input })
      this.#findHead()
    }
    this.#unfollow = l1.follow(bookmarkOf(store, from).next, onL1, from)
    this.#timer = interval === undefined ? undefined : setInterval(() => this.tick(), interval)
    this.#findHead()
  }

  /** The machine's newest state. */
  get state(): WatcherState {
    return this.#loop.state
  }

  /**
   * Keeps what an owner has signed in advance, durably: once the chain is bad its exit is started by it. Rejects with
   * WrongSigner or WrongStarter.
   */
  async permit(permit: OwnerPermit): Promise<void> {
    await this.#loop.ask({ kind: 'permit', permit })
  }

  /** What everybody may ask. */
  get api(): WatcherApi {
    return {
      status: () => this.#status(),
      alarms: () => this.#options.store.all('alarms').map(([, alarm]) => alarm as unknown as Alarm),
      block: async (number) => blockIn(this.#options.store, number),
      subscribe: (listen) => {
        const one = { listen }
        this.#listeners.add(one)
        return () => this.#listeners.delete(one)
      },
    }
  }

  #status(): WatcherStatus {
    const { follower, running } = this.state
    const { ledger, view, bad } = follower
    const exits = allExits(running).length
    const place = { chain: ledger.chain, number: ledger.number, time: view.time, synced: isSynced(follower) }
    return { ...place, bad: bad ?? null, exits, inFlight: running.inFlight.size }
  }

  /** Asks again for what did not come. */
  tick(): void {
    this.#findHead()
    this.#loop.post({ kind: 'tick' })
  }

  /** Takes no more input. The store is its opener's to close. */
  stop(): void {
    clearInterval(this.#timer)
    this.#unfollow()
    this.#loop.stop()
  }

  /** Nothing is judged before the head is known, so it is asked for until somebody says it. */
  #findHead(): void {
    if (this.#finding || this.state.follower.goal !== undefined) return
    this.#finding = true
    const said = this.#options.l1.head().then(
      (number) => this.#loop.post({ kind: 'head', number }),
      (why) => this.#options.onTrouble?.(why),
    )
    said.finally(() => {
      this.#finding = false
    })
  }

  #fail(why: unknown): void {
    this.stop()
    this.#options.onFailure(why)
  }

  #speak(output: WatcherOutput): void {
    this.#options.onOutput?.(output)
    if (output.kind === 'alarm') this.#tell(output.alarm)
    if (output.kind === 'fetch') this.#fetch(output.number)
    if (output.kind === 'answer') this.#answer(output)
    if (output.kind === 'escape') this.#escape(output.way)
  }

  #tell(alarm: Alarm): void {
    this.#options.onAlarm(alarm)
    for (const { listen } of this.#listeners) listen(alarm)
  }

  #guard(): GuardParams {
    const { l1, owners = [], maxBonds = 256 } = this.#options
    const guarded = owners.map(({ key, l1: own }) => ({ owner: addressOf(key), sends: own !== undefined }))
    return { owners: guarded, starter: l1.sender, maxBonds }
  }

  /** An exit is started by its owner's account, or by this watcher's with a permit that the owner's key signs for it. */
  async #escape(way: Escape): Promise<void> {
    const { l1, store, path, owners = [] } = this.#options
    const { key } = way
    try {
      const { ledger, l1: fresh, view } = this.state.follower
      const by = owners.find((one) => addressOf(one.key) === way.owner)
      const court = this.#court
      const permit = way.kind === 'leave' && by && !by.l1 ? this.#sign(by.key, way.ids) : OWN_PERMIT
      const call = escapeCall(court, path, observe(ledger, fresh, view.time), store, way, permit)
      const sender = way.kind === 'leave' && way.permit ? l1 : (by?.l1 ?? l1)
      const { block } = await sender.send(call)
      this.#loop.post({ kind: 'sent', key, mined: block })
    } catch (why) {
      this.#options.onTrouble?.(why)
      this.#loop.post({ kind: 'sent', key })
    }
  }

  /** A permit for this watcher's account alone, that never ends: the outputs can leave once only. */
  #sign(key: Hex, ids: readonly Hex[]): Permit {
    const { court, chain } = this.state.follower.ledger
    const open = { starter: this.#options.l1.sender, deadline: 2 ** 40 - 1 }
    const digest = startExitDigest(court, chain, ids, { ...open, signature: '0x' })
    return { ...open, signature: sign(digest, key) }
  }

  /** The operator is asked first, then the others one after another, then the operator again. */
  #fetch(number: number): void {
    const { operator, others = [], path, onTrouble, checker } = this.#options
    const sources = [operator, ...others]
    this.#asked = this.#asked?.number === number ? { number, times: this.#asked.times + 1 } : { number, times: 0 }
    const source = sources[this.#asked.times % sources.length]!
    servedBy(source, path.length, number, onTrouble)
      .then((input) => (checker && input.kind === 'served' ? checked(checker, this.#court, input) : input))
      .then((input) => this.#loop.post(input))
  }

  #answer({ answer }: WatcherOutput & { readonly kind: 'answer' }): void {
    const { l1, store, path } = this.#options
    const court = this.#court
    const { key } = answer
    l1.send(answerCall(court, path, knowledgeOf(this.state), store, answer)).then(
      ({ block }) => this.#loop.post({ kind: 'sent', key, mined: block }),
      (why) => {
        this.#options.onTrouble?.(why)
        this.#loop.post({ kind: 'sent', key })
      },
    )
  }
}
