import { randomBytes } from 'node:crypto'
import { type Hex, toHex } from '../core/base/Bytes.ts'
import { get } from '../core/base/HashMap.ts'
import { Refusal, require } from '../core/base/Step.ts'
import { hashLock } from '../core/base/Verdicts.ts'
import { type Agreement, type Leg, legsOf, type Swap, termsOfLeg } from '../core/plasma/Agreement.ts'
import { nextStep, type SwapStep } from '../core/plasma/Swap.ts'
import type { Wallet } from './Wallet.ts'

/** One side of a swap: the wallets of what it gives and of what it takes, which are the same one on a single chain. */
export interface SwapSides {
  readonly give: Wallet
  readonly take: Wallet
}

/** How a side goes about its swap. */
export interface SwapWays {
  /** Seconds that must be left before the expiry for the own lock to be worth while (3600). */
  readonly least?: number
  /** Left to the operator of the own lock. */
  readonly fee?: bigint
  /** Milliseconds between looks; without it only `advance` goes on. */
  readonly interval?: number
  /** Told why a step failed; it is tried again with the next look. */
  readonly onTrouble?: (why: unknown) => void
}

/** What is given for what, and to whom; `expiry` (seconds) is when both have their own back if nothing came of it. */
export interface Proposal {
  readonly gives: Pick<Leg, 'asset' | 'value'>
  readonly takes: Pick<Leg, 'asset' | 'value'>
  readonly with: Hex
  readonly expiry: number
}

/**
 * A new swap with a preimage that nobody else knows. Its agreement is what the other side has to be handed, as JSON or
 * however: it holds no secret. The swap itself holds the preimage.
 */
export function proposal({ give, take }: SwapSides, { gives, takes, with: other, expiry }: Proposal): Swap {
  const preimage = toHex(randomBytes(32))
  const chainOf = (wallet: Wallet) => wallet.state.follower.ledger.chain
  const first = { chain: chainOf(give), ...gives, from: give.owner, to: other }
  const second = { chain: chainOf(take), ...takes, from: other, to: take.owner }
  return { agreement: { hash: hashLock(preimage), expiry, first, second }, preimage }
}

/** A swap that is kept and carried on: after a restart, too, by the hash alone. */
export class Swapping {
  readonly #sides: SwapSides
  readonly #hash: Hex
  readonly #ways: SwapWays
  readonly #timer: NodeJS.Timeout | undefined
  #busy: Promise<unknown> | undefined
  /** What layer 1 has, it keeps: until that is final nothing is shown again. */
  #isShown = false

  constructor(sides: SwapSides, hash: Hex, ways: SwapWays = {}) {
    this.#sides = sides
    this.#hash = hash
    this.#ways = ways
    const { interval } = ways
    this.#timer = interval === undefined ? undefined : setInterval(() => void this.advance(), interval)
  }

  /**
   * Begins one's side of a swap: keeps it durably, with the terms of both locks. Refuses WrongChain if the two wallets are
   * not of one court, or not of the chains that were agreed; WrongMember if they are not the owner's.
   */
  static async begin(sides: SwapSides, swap: Swap, ways: SwapWays = {}): Promise<Swapping> {
    const { give, take } = sides
    const [one, other] = [give, take].map((wallet) => wallet.state.follower.params.court.separator) as [Hex, Hex]
    const leg = legsOf(swap).take
    const { chain } = take.state.follower.ledger
    require(one === other, 'WrongChain', other, one)
    require(leg.chain === chain, 'WrongChain', leg.chain, chain)
    require(leg.to === take.owner, 'WrongMember', leg.to)
    const { agreement } = swap
    await take.learn(...[agreement.first, agreement.second].map((leg) => termsOfLeg(agreement, leg)))
    await give.keepSwap(swap)
    return new Swapping(sides, agreement.hash, ways)
  }

  /** What was agreed. */
  get agreement(): Agreement {
    return this.#swap.agreement
  }

  /** Where the swap stands, and what comes next. */
  get step(): SwapStep {
    const { give, take } = this.#sides
    return nextStep(this.#swap, give.state, take.state, this.#ways.least ?? 3600)
  }

  /** Does what comes next, if anything; one thing at a time. Resolves with where the swap stands then. */
  async advance(): Promise<SwapStep> {
    const { move } = this.step
    if (move && !this.#busy && !(move === 'reveal' && this.#isShown)) {
      this.#busy = this.#do(move)
      await this.#busy.catch((why) => this.#ways.onTrouble?.(why))
      this.#busy = undefined
    }
    return this.step
  }

  /** Looks no more by itself. */
  stop(): void {
    clearInterval(this.#timer)
  }

  get #swap(): Swap {
    const swap = get(this.#sides.give.state.swaps, this.#hash)
    if (!swap) throw new Refusal('UnknownSwap', this.#hash)
    return swap
  }

  async #do(move: 'lock' | 'reveal'): Promise<void> {
    const { give, take } = this.#sides
    const { agreement, preimage } = this.#swap
    if (move === 'lock') await give.lockLeg(agreement.hash, this.#ways.fee)
    else await take.reveal([preimage!], agreement.expiry)
    this.#isShown ||= move === 'reveal'
  }
}
