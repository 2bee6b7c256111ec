import { randomBytes } from 'node:crypto'
import { type Hex, toHex, ZERO } from '../core/base/Bytes.ts'
import { domain } from '../core/base/Signature.ts'
import type { L1Input } from '../core/base/Step.ts'
import type { Swap } from '../core/plasma/Agreement.ts'
import { bookmarkOf } from '../core/plasma/Archive.ts'
import type { PlasmaCall } from '../core/plasma/Call.ts'
import type { Half } from '../core/plasma/Half.ts'
import type { LockTerms } from '../core/plasma/LockTerms.ts'
import type { Payee } from '../core/plasma/Payment.ts'
import {
  type Balance,
  balanceOf,
  balancesOf,
  restoreWallet,
  type WalletInput,
  type WalletOutput,
  type WalletParams,
  type WalletState,
} from '../core/plasma/Purse.ts'
import type { SeenEvent } from '../core/plasma/Seen.ts'
import { walletMachine } from '../core/plasma/Wallet.ts'
import type { Chain, Receipt, Registry } from '../edge/chain/Chain.ts'
import { Fault } from '../edge/Fault.ts'
import type { Acknowledgement, OperatorApi } from '../edge/http/OperatorApi.ts'
import type { Store } from '../edge/store/Store.ts'
import { Loop } from './Loop.ts'
import { type BlockSource, servedBy } from './Serving.ts'

/** What a wallet runs on. Its L1 client sends as the owner of the key. */
export interface WalletOptions {
  readonly l1: Chain<PlasmaCall, SeenEvent> & Registry
  readonly store: Store
  readonly operator: BlockSource & Pick<OperatorApi, 'submit'>
  readonly params: Omit<WalletParams, 'court'>
  /** L1 block from which an empty store follows. */
  readonly from: number
  /** Milliseconds between questions for what did not come; without it every L1 block asks, and `tick`. */
  readonly interval?: number
  /** Told of what happened: deposited, received, paid, failed, left, bad. */
  readonly onOutput?: (output: WalletOutput) => void
  /** Told why a question or a submission failed; both are tried again. */
  readonly onTrouble?: (why: unknown) => void
  /** Told once if the wallet had to stop. */
  readonly onFailure: (why: unknown) => void
  readonly schedule?: (run: () => void) => void
}

/** An acknowledged payment under terms. */
export interface Locked extends Acknowledgement {
  readonly terms: LockTerms
}

/** A wallet: pays, believes only what it has checked, and leaves with what it holds whoever else is gone. */
export class Wallet {
  readonly #options: WalletOptions
  readonly #loop: Loop<WalletState, WalletInput, WalletOutput>
  readonly #doing = new WeakMap<WalletOutput, Promise<unknown>>()
  readonly #unfollow: () => void
  #finding = false
  readonly #timer: NodeJS.Timeout | undefined

  constructor(options: WalletOptions) {
    const { l1, store, from, interval } = options
    const params = { ...options.params, court: domain(l1.chainId, l1.court) }
    this.#options = options
    this.#loop = new Loop({
      machine: walletMachine(params),
      state: restoreWallet(params, store, from),
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
  get state(): WalletState {
    return this.#loop.state
  }

  /** The owner's address. */
  get owner(): Hex {
    return this.state.owner
  }

  /** What can be paid with now, in the asset's smallest unit. */
  balance(asset: Hex): bigint {
    return balanceOf(this.state, asset)
  }

  /** What the owner has of an asset, by where it is. */
  balances(asset: Hex): Balance {
    return balancesOf(this.state, asset)
  }

  /** Deposits into the chain; resolves when L1 has it. It can be spent once the operator sees it. */
  deposit(asset: Hex, value: bigint, salt: Hex = toHex(randomBytes(32))): Promise<Receipt> {
    return this.#command({ kind: 'deposit', asset, value, salt })
  }

  /** Pays up to four payees at once; resolves when the operator has acknowledged, `paid` tells when it is certain. */
  pay(asset: Hex, payees: readonly Payee[], fee = 0n, memo: Hex = ZERO): Promise<Acknowledgement> {
    return this.#command({ kind: 'pay', asset, payees, fee, memo })
  }

  /**
   * Pays under terms: the payee has it once the preimage of `hash` is public up to the second `expiry`, else `refund`, this
   * wallet unless given, without doing anything. The terms it resolves with are the payee's to know: it `learn`s them.
   */
  async lock(
    asset: Hex,
    payee: Payee,
    terms: Omit<LockTerms, 'refund'> & Partial<LockTerms>,
    fee = 0n,
  ): Promise<Locked> {
    const all = { refund: this.owner, ...terms }
    return { ...(await this.pay(asset, [{ ...payee, terms: all }], fee)), terms: all }
  }

  /** Keeps terms of locks that somebody told; of one that returns to this wallet before it is in a block. */
  async learn(...terms: readonly LockTerms[]): Promise<void> {
    await this.#loop.ask({ kind: 'learn', terms })
  }

  /**
   * This side's half of a spend of an output whose lock is undecided, for the other side to `accept`. The coin is as good
   * as spent from then on, until the transaction is dead.
   */
  async offer(id: Hex, payees: readonly Payee[], fee = 0n, memo: Hex = ZERO): Promise<Half> {
    for (const output of await this.#loop.ask({ kind: 'offer', id, payees, fee, memo })) {
      if (output.kind === 'half') return output.half
    }
    throw new Error('an offer was answered with nothing')
  }

  /** Makes a spend of the other side's half, if at least `gets` comes to this wallet by it; resolves as `pay` does. */
  accept(half: Half, gets: bigint): Promise<Acknowledgement> {
    return this.#command({ kind: 'accept', half, gets })
  }

  /** Keeps a swap in which this wallet gives, and the terms of both its locks. */
  async keepSwap(swap: Swap): Promise<void> {
    await this.#loop.ask({ kind: 'swap', swap })
  }

  /** Locks what this wallet gives in a swap, once; resolves when the operator has acknowledged. */
  lockLeg(hash: Hex, fee = 0n): Promise<Acknowledgement> {
    return this.#command({ kind: 'lockLeg', hash, fee })
  }

  /** Makes several outputs of what is its own, so that as many payments can be under way at once. */
  split(asset: Hex, values: readonly bigint[], fee = 0n): Promise<Acknowledgement> {
    return this.pay(
      asset,
      values.map((value) => ({ owner: this.owner, value })),
      fee,
    )
  }

  /** Makes one output of up to four of one asset. */
  merge(ids: readonly Hex[], fee = 0n, memo: Hex = ZERO): Promise<Acknowledgement> {
    return this.#command({ kind: 'merge', ids, fee, memo })
  }

  /** Makes a plain output of a locked one that is decided for this wallet; it could as well be spent as it is. */
  claim(id: Hex, fee = 0n): Promise<Acknowledgement> {
    return this.merge([id], fee)
  }

  /** Makes preimages public on layer 1, which decides every lock on their hashes whose expiry is not over. */
  reveal(preimages: readonly Hex[], deadline?: number): Promise<Receipt> {
    return this.#options.l1.reveal(preimages, deadline)
  }

  /**
   * Starts the exit of an output or a deposit; resolves when L1 has it. No operator is needed. `anyway` = though an open
   * payment spends it, for an operator that is gone: whoever has that payment can void the exit and take half its bond.
   */
  leave(id: Hex, anyway = false): Promise<Receipt> {
    return this.#command({ kind: 'leave', ids: [id], anyway })
  }

  /**
   * Starts the exits of several outputs in as few transactions as there can be: those of an asset that are all deposits or
   * all of one block go together. Resolves when L1 has them all.
   */
  leaveAll(ids: readonly Hex[], anyway = false): Promise<readonly Receipt[]> {
    return this.#commands({ kind: 'leave', ids, anyway })
  }

  /**
   * Starts the in-flight exit of an open payment, for an operator that is gone or does not include it; resolves when L1
   * has it. Its payees then have what they piggyback, or this wallet its inputs back.
   */
  fly(txHash: Hex): Promise<Receipt> {
    return this.#command({ kind: 'fly', txHash })
  }

  /** Wants out with everything that is the owner's of an in-flight exit that somebody started; resolves when L1 has it. */
  piggyback(txHash: Hex): Promise<Receipt> {
    return this.#command({ kind: 'piggyback', txHash })
  }

  /**
   * Lets the court pay the exits of an asset that may be paid at `time` (seconds), whosever they are: the first 256, and
   * of them as many as fit into a transaction. More have their turn once these are known to be paid.
   */
  process(asset: Hex, time: number): Promise<Receipt> {
    return this.#command({ kind: 'process', asset, time })
  }

  /** Takes what the court could not push to the owner. */
  claimCredit(asset: Hex, to: Hex = this.owner): Promise<Receipt> {
    return this.#options.l1.send({ verb: 'claimCredit', asset, owner: this.owner, to })
  }

  /** Takes an ERC-721 that the court could not push to the owner. */
  claimToken(asset: Hex, id: bigint, to: Hex = this.owner): Promise<Receipt> {
    return this.#options.l1.send({ verb: 'claimToken', asset, id, to })
  }

  /** Takes everything out of escrow that locks have decided for the owner; resolves when L1 has it all. */
  claimEscrow(): Promise<readonly Receipt[]> {
    return this.#commands({ kind: 'collect' })
  }

  /** Asks again for what did not come, and submits again what is not settled. */
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

  /** A command's outputs are done when the loop answers; what they came to is the command's answer. */
  async #command<Result>(input: WalletInput): Promise<Result> {
    const [done] = await this.#commands<Result>(input)
    return done!
  }

  async #commands<Result>(input: WalletInput): Promise<readonly Result[]> {
    const outputs = await this.#loop.ask(input)
    return Promise.all(outputs.map((output) => this.#doing.get(output) as Promise<Result>))
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

  #speak(output: WalletOutput): void {
    if (output.kind === 'fetch') this.#fetch(output.number)
    else if (output.kind === 'submit') this.#do(output, this.#options.operator.submit(output.signed))
    else if (output.kind === 'call') this.#do(output, this.#call(output))
    else this.#options.onOutput?.(output)
  }

  #do(output: WalletOutput, work: Promise<unknown>): void {
    this.#doing.set(output, work)
    work.catch((why) => this.#options.onTrouble?.(why))
  }

  async #call({ call, ids, about }: WalletOutput & { readonly kind: 'call' }): Promise<Receipt> {
    const of = about === undefined ? { ids } : { ids, about }
    try {
      const receipt = await this.#options.l1.send(call)
      this.#loop.post({ kind: 'sent', ...of, failed: false, mined: receipt.block })
      return receipt
    } catch (why) {
      this.#loop.post({ kind: 'sent', ...of, failed: !isOpen(why) })
      throw why
    }
  }

  #fetch(number: number): void {
    const { operator, params, onTrouble } = this.#options
    servedBy(operator, params.path.length, number, onTrouble).then((input) => this.#loop.post(input))
  }
}

/**
 * Whether a call may be mined though it was answered with this: whoever did not answer may have passed it on. What it starts
 * the exit of is not free then, or a payment would spend what leaves; it can be left with again.
 */
function isOpen(why: unknown): boolean {
  return why instanceof Fault && why.code === 'ChainUnreachable'
}
