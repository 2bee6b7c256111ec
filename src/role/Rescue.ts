import type { Hex } from '../core/base/Bytes.ts'
import { domain } from '../core/base/Signature.ts'
import { type L1Input, Refusal } from '../core/base/Step.ts'
import type { ChannelCall, ChannelEvent } from '../core/channel/Call.ts'
import {
  creditOf,
  isSettled,
  nextTime,
  type RescueFile,
  type Rescuer,
  type RescueView,
  rescueCalls,
  rescuer,
  rescueView,
  rescueViewed,
} from '../core/channel/Rescue.ts'
import { usefulUntil } from '../core/channel/Urgency.ts'
import type { Chain, Receipt } from '../edge/chain/Chain.ts'
import { Fault } from '../edge/Fault.ts'

/** What a rescue needs besides its file: an account on the chain, and the key that signs for the side. */
export interface RescueParts {
  readonly chain: Chain<ChannelCall, ChannelEvent>
  /** The private key behind the signer of the file's side: never stored, never shown. */
  readonly key: Hex
  /** How deep the end must be in the chain before the rescue is over, its own block included; 12 unless given. */
  readonly confirmations?: number
  /** Seconds before a lock's expiry at which its preimage is revealed at the latest; 1,800 unless given. */
  readonly margin?: number
  /** Hears every step, and what it waits for. */
  readonly onProgress?: (progress: RescueProgress) => void
}

/** What a rescue tells on its way. */
export type RescueProgress =
  /** It has read the chain up to its newest block. */
  | { readonly name: 'read'; readonly block: number; readonly version: bigint }
  /** Nothing is to be done before this second. */
  | { readonly name: 'waits'; readonly until: number }
  | { readonly name: 'sends'; readonly verb: ChannelCall['verb'] }
  | { readonly name: 'mined'; readonly verb: ChannelCall['verb']; readonly receipt: Receipt }
  /** A transaction was not mined or is not needed any more; the next block decides again. */
  | { readonly name: 'failed'; readonly verb: ChannelCall['verb']; readonly why: unknown }
  /** The court has paid so much to the sides so far. */
  | { readonly name: 'paid'; readonly payA: bigint; readonly payB: bigint }

/** What a rescue has come to: all that the court paid to each side, in the asset's smallest unit. */
export interface Rescued {
  readonly payA: bigint
  readonly payB: bigint
  /** What the court still holds for the side's owner, because the owner does not take it; it can claim it to elsewhere. */
  readonly creditLeft: bigint
  /** Whether the chain no longer tells which locks were left open, so that later payments of them must be asked for by hand. */
  readonly locksUnknown: boolean
}

/** Refusals that no later block heals. */
const HOPELESS = new Set(['NotParty', 'WrongSigner', 'WrongValue', 'FinalVersion', 'WrongListSize'])

/**
 * Ends a channel with nothing but a rescue file, a chain and a key: challenges with the file's state (or concludes the
 * final one), reveals preimages in time, answers older states, settles, settles again for locks that are decided later,
 * claims what could not be paid. Resolves when nothing is left to do. Stopped at any point and run again, it goes on.
 */
export async function rescue(file: RescueFile, parts: RescueParts): Promise<Rescued> {
  const { chain, key, margin = 1800 } = parts
  const court = domain(chain.chainId, chain.court)
  const who = rescuer({ court, file, key, sender: chain.sender, margin })
  const head = await chain.head()
  return new Promise((done, failed) => new Rescue(who, parts, head, done, failed).begin())
}

class Rescue {
  readonly #who: Rescuer
  readonly #parts: RescueParts
  /** Nothing is done before this block was seen: what it needs may have been done. */
  readonly #start: number
  readonly #done: (rescued: Rescued) => void
  readonly #failed: (why: unknown) => void
  readonly #sending = new Set<string>()
  /** Claims that their owner does not take. */
  readonly #givenUp = new Set<string>()
  #view: RescueView
  #stop: (() => void) | undefined
  #ended = false
  readonly #told = new Map<string, string>()

  constructor(
    who: Rescuer,
    parts: RescueParts,
    start: number,
    done: (rescued: Rescued) => void,
    failed: (why: unknown) => void,
  ) {
    this.#who = who
    this.#parts = parts
    this.#start = start
    this.#done = done
    this.#failed = failed
    this.#view = rescueView(who.file)
  }

  begin(): void {
    const { chain } = this.#parts
    this.#stop = chain.follow(Math.min(this.#who.file.since, this.#start), (input) => this.#take(input))
    if (this.#ended) this.#stop()
  }

  #take(input: L1Input<ChannelEvent>): void {
    if (this.#ended) return
    const before = this.#view
    this.#view = rescueViewed(this.#who, before, input)
    if (input.kind === 'retract' || this.#view.head < this.#start) return
    if (this.#view.head === this.#start)
      this.#say({ name: 'read', block: this.#start, version: this.#view.docket.version })
    this.#act()
  }

  #act(): void {
    const { docket } = this.#view
    const { closed } = docket
    if (closed) this.#sayOnce({ name: 'paid', payA: closed.payA, payB: closed.payB })
    if (this.#isOver()) this.#finish()
    else this.#ask(this.#needed())
  }

  #isOver(): boolean {
    const { docket, head } = this.#view
    const isDeep = docket.closed !== null && docket.closed.block <= head - (this.#parts.confirmations ?? 12) + 1
    return isDeep && isSettled(this.#view) && this.#needed().length === 0 && this.#sending.size === 0
  }

  #needed(): readonly ChannelCall[] {
    return rescueCalls(this.#who, this.#view).filter((call) => !this.#givenUp.has(nameOf(call)))
  }

  #ask(calls: readonly ChannelCall[]): void {
    for (const call of calls) this.#send(call)
    const until = nextTime(this.#view)
    if (calls.length === 0 && until > this.#view.time) this.#sayOnce({ name: 'waits', until })
  }

  #send(call: ChannelCall): void {
    const name = nameOf(call)
    if (this.#sending.has(name)) return
    const { verb } = call
    this.#sending.add(name)
    this.#say({ name: 'sends', verb })
    const { docket, time } = this.#view
    this.#parts.chain.send(call, usefulUntil(call, docket.deadline, time)).then(
      (receipt) => this.#mined(name, verb, receipt),
      (why) => {
        this.#sending.delete(name)
        if (why instanceof Refusal && why.code === 'PaymentRefused') this.#givenUp.add(name)
        this.#trouble(verb, why)
        // Somebody else was faster, and the block that ended the channel may have been seen already.
        if (!this.#ended && this.#isOver()) this.#finish()
      },
    )
  }

  /** Where the block was seen before its receipt came, nobody else says that it is time to look again. */
  #mined(name: string, verb: ChannelCall['verb'], receipt: Receipt): void {
    this.#sending.delete(name)
    this.#say({ name: 'mined', verb, receipt })
    if (!this.#ended && this.#view.head >= receipt.block) this.#act()
  }

  #trouble(verb: ChannelCall['verb'], why: unknown): void {
    this.#say({ name: 'failed', verb, why })
    const isHopeless = why instanceof Refusal && HOPELESS.has(why.code)
    if (isHopeless || (why instanceof Fault && why.code === 'InsufficientFunds')) this.#end(() => this.#failed(why))
  }

  #finish(): void {
    const { closed, locks } = this.#view.docket
    const { payA, payB } = closed!
    const creditLeft = creditOf(this.#view, this.#who.file.channel.asset)
    this.#end(() => this.#done({ payA, payB, creditLeft, locksUnknown: locks === null }))
  }

  #end(tell: () => void): void {
    if (this.#ended) return
    this.#ended = true
    this.#stop?.()
    tell()
  }

  #say(progress: RescueProgress): void {
    if (!this.#ended) this.#parts.onProgress?.(progress)
  }

  /** The same again is no news. */
  #sayOnce(progress: RescueProgress): void {
    const text = Object.values(progress).join(' ')
    if (this.#told.get(progress.name) !== text) this.#say(progress)
    this.#told.set(progress.name, text)
  }
}

function nameOf(call: ChannelCall): string {
  return call.verb === 'claimCredit' ? `${call.verb} ${call.asset}` : call.verb
}
