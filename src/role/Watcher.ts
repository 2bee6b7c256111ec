import { domain } from '../core/base/Signature.ts'
import type { L1Input } from '../core/base/Step.ts'
import type { Alarm } from '../core/plasma/Alarm.ts'
import { answerCall } from '../core/plasma/Answer.ts'
import { bookmarkOf } from '../core/plasma/Archive.ts'
import type { PlasmaCall } from '../core/plasma/Call.ts'
import type { Chain as PlasmaChain } from '../core/plasma/Chain.ts'
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
import type { OperatorApi } from '../edge/http/OperatorApi.ts'
import type { Store } from '../edge/store/Store.ts'
import { Loop } from './Loop.ts'

/** What a watcher runs on. Its L1 client pays the gas of its challenges and earns half of each bond. */
export interface WatcherOptions {
  readonly l1: Chain<PlasmaCall, SeenEvent>
  readonly store: Store
  readonly operator: Pick<OperatorApi, 'block'>
  /** The chain and those above it: root level first, its own last. */
  readonly path: readonly PlasmaChain[]
  /** L1 blocks that must stand on a block before it is believed. */
  readonly depth: number
  /** Seconds after which a block that nobody serves is withheld, and before a payment in which to warn. */
  readonly patience: number
  readonly warning: number
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
  readonly #loop: Loop<WatcherState, WatcherInput, WatcherOutput>
  readonly #unfollow: () => void
  #finding = false
  readonly #timer: NodeJS.Timeout | undefined

  constructor(options: WatcherOptions) {
    const { l1, store, from, depth, patience, interval } = options
    const params = { court: domain(l1.chainId, l1.court), path: options.path, depth, patience }
    this.#options = options
    this.#loop = new Loop({
      machine: watcherMachine(options.warning),
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
    if (output.kind === 'alarm') this.#options.onAlarm(output.alarm)
    if (output.kind === 'fetch') this.#fetch(output.number)
    if (output.kind === 'answer') this.#answer(output)
  }

  #fetch(number: number): void {
    this.#options.operator.block(number).then(
      ({ transactions }) => this.#loop.post({ kind: 'served', number, transactions }),
      (why) => {
        this.#options.onTrouble?.(why)
        this.#loop.post({ kind: 'missing', number })
      },
    )
  }

  #answer({ answer }: WatcherOutput & { readonly kind: 'answer' }): void {
    const { l1, store, path } = this.#options
    const court = domain(l1.chainId, l1.court)
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
