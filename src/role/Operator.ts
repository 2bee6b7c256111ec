import { type Hex, uint } from '../core/base/Bytes.ts'
import { get } from '../core/base/HashMap.ts'
import { rootOf, type Tree } from '../core/base/Merkle.ts'
import { addressOf, type Domain, domain } from '../core/base/Signature.ts'
import { Refusal, require } from '../core/base/Step.ts'
import { bookmarkOf, storedBlock, storedTransactions } from '../core/plasma/Archive.ts'
import { inclusion, rootOfChildren, txTree } from '../core/plasma/Block.ts'
import type { PlasmaCall } from '../core/plasma/Call.ts'
import { ownOf } from '../core/plasma/Chain.ts'
import { haltOf } from '../core/plasma/Descent.ts'
import {
  isChild,
  type OperatorInput,
  type OperatorOutput,
  type OperatorParams,
  type OperatorState,
  type Tender,
} from '../core/plasma/Office.ts'
import { operatorMachine, restoreOperator } from '../core/plasma/Operator.ts'
import type { SeenEvent } from '../core/plasma/Seen.ts'
import { txHash } from '../core/plasma/Transaction.ts'
import type { Chain } from '../edge/chain/Chain.ts'
import type {
  Acknowledgement,
  LocalOperator,
  OperatorEvent,
  OutputProof,
  ParentApi,
  Rejection,
  Status,
} from '../edge/http/OperatorApi.ts'
import { explain } from '../edge/http/Problem.ts'
import { type Checker, ownThread } from '../edge/signature/Checker.ts'
import type { Store } from '../edge/store/Store.ts'
import { Kinship, openingsIn, openingsOf } from './Kinship.ts'
import { Loop } from './Loop.ts'
import { depositsOf, openBlock, placeOf, statusOf, unspentOf } from './OperatorViews.ts'
import { blockIn } from './Serving.ts'
import { Snapshots } from './Snapshots.ts'
import { type Outcome, Submissions } from './Submissions.ts'

/** What an operator runs on. The L1 client's sender is the operator of a root-level chain, for a deeper one anybody. */
export interface OperatorOptions {
  readonly l1: Chain<PlasmaCall, SeenEvent>
  readonly store: Store
  readonly params: Omit<OperatorParams, 'court'>
  /** The operator of the parent; a deeper chain needs it. */
  readonly parent?: ParentApi
  /** L1 block from which an empty store follows: that of the court's deployment, or any before it. */
  readonly from: number
  /** Checks signatures, in other threads; in this one unless given. It is its opener's to close. */
  readonly checker?: Checker
  /** Milliseconds between seals; without it only `seal` makes blocks. */
  readonly interval?: number
  /** Told of seals, drops and calls, for logs. */
  readonly onOutput?: (output: OperatorOutput) => void
  /** Told why a call to L1 failed; it is tried again with the next L1 block. */
  readonly onTrouble?: (why: unknown) => void
  /** Told once if the operator had to stop. */
  readonly onFailure: (why: unknown) => void
  readonly schedule?: (run: () => void) => void
}

/** Nobody's key. */
const NO_KEY: Hex = uint(1, 32)
/** In how many of the newest blocks a transaction that is refused is looked for: it may be there already. */
const REPEATS = 2000
/** How many blocks' trees are kept for proofs. */
const TREES = 4

/** An operator: orders payments, acknowledges only what is stored, commits what it sealed and nothing else. */
export class Operator {
  readonly #options: OperatorOptions
  readonly #court: Domain
  readonly #loop: Loop<OperatorState, OperatorInput, OperatorOutput>
  readonly #submissions: Submissions
  readonly #kinship: Kinship | undefined
  readonly #snapshots: Snapshots
  readonly #listeners = new Set<{ readonly listen: (event: OperatorEvent) => void }>()
  readonly #trees = new Map<number, Tree>()
  readonly #unfollow: () => void
  readonly #timer: NodeJS.Timeout | undefined

  constructor(options: OperatorOptions) {
    const { l1, store, from, schedule = setImmediate } = options
    this.#options = options
    this.#court = domain(l1.chainId, l1.court)
    const params = { ...options.params, court: this.#court }
    const { operator, slot } = ownOf(params.path)
    const signer = isChild(params) ? addressOf(params.key ?? NO_KEY) : l1.sender
    require(operator === signer, 'NotOperator', signer, operator)
    this.#loop = new Loop({
      machine: operatorMachine(params),
      state: restoreOperator(params, store, from),
      store,
      speak: (output) => this.#speak(output),
      onFailure: (why) => this.#fail(why),
      schedule,
    })
    this.#submissions = new Submissions({
      court: this.#court,
      checker: options.checker ?? ownThread(),
      take: (list) => this.#loop.ask({ kind: 'submit', list }),
      find: (hash) => placeOf(this.state, store, hash, REPEATS),
      schedule,
    })
    const { onTrouble } = options
    this.#snapshots = new Snapshots({ store, state: () => this.state, schedule, onTrouble })
    const post = (input: OperatorInput) => this.#loop.post(input)
    this.#kinship = options.parent && new Kinship(options.parent, slot, post, options.onTrouble)
    this.#unfollow = l1.follow(bookmarkOf(store, from).next, (input) => this.#loop.post({ kind: 'l1', input }), from)
    this.#timer = options.interval === undefined ? undefined : setInterval(() => this.seal(), options.interval)
  }

  /** The machine's newest state. */
  get state(): OperatorState {
    return this.#loop.state
  }

  /** Seals the open block, if it has transactions and L1 has all that were sealed before. */
  seal(): void {
    this.#loop.post({ kind: 'seal' })
  }

  /** Stores what the ledger is, a little at a time, so that a start is short; by itself it does so now and then. */
  snapshot(): void {
    this.#snapshots.write()
  }

  /** Takes no more input. The store is its opener's to close. */
  stop(): void {
    clearInterval(this.#timer)
    this.#unfollow()
    this.#snapshots.stop()
    this.#loop.stop()
  }

  /** What everybody may ask. */
  get api(): LocalOperator {
    return {
      status: async () => this.#status(),
      fees: async () => ({ fees: this.#options.params.fees }),
      submit: async (signed) => accepted(await this.#submissions.submit(signed)),
      submitAll: async (batch) => (await this.#submissions.submitAll(batch)).map(told),
      block: async (number) => blockIn(this.#options.store, number),
      openings: async (number) => openingsIn(this.#options.store, this.#depth, number),
      tender: async (slot) => this.#tender(slot),
      offer: async (slot, offer) => void (await this.#loop.ask({ kind: 'offered', slot, offer })),
      openingsOf: async (slot, number) => {
        const root = () => rootOf(this.#tree(number))
        return openingsOf(this.#options.store, this.#depth, number, slot, root)
      },
      proof: async (id) => this.#proof(id),
      unspent: async (owner, after) => unspentOf(this.state, owner, after),
      transaction: async (hash) => statusOf(this.state, this.#options.store, hash),
      deposits: async (owner, after) => depositsOf(this.state, owner, after),
      openBlock: (number) => openBlock(this.#options.store, number),
      subscribe: (listen) => this.#listen(listen),
    }
  }

  #listen(listen: (event: OperatorEvent) => void): () => void {
    const one = { listen }
    this.#listeners.add(one)
    return () => this.#listeners.delete(one)
  }

  #fail(why: unknown): void {
    this.stop()
    this.#options.onFailure(why)
  }

  #speak(output: OperatorOutput): void {
    this.#options.onOutput?.(output)
    this.#kinship?.speak(output)
    if (output.kind === 'sealed' || output.kind === 'committed' || output.kind === 'dropped') {
      this.#snapshots.hear(output)
      for (const { listen } of this.#listeners) listen(output)
    }
    if (output.kind !== 'send') return
    const { number } = output
    this.#options.l1.send(output.call).then(
      ({ block }) => this.#loop.post({ kind: 'sent', number, mined: block }),
      (why) => {
        this.#options.onTrouble?.(why)
        this.#loop.post({ kind: 'sent', number })
      },
    )
  }

  get #depth(): number {
    return this.#options.params.path.length
  }

  async #tender(slot: number): Promise<Tender | null> {
    for (const output of await this.#loop.ask({ kind: 'wanted', slot })) {
      if (output.kind === 'tender') return output.tender ?? null
    }
    return null
  }

  #status(): Status {
    const { ledger, committed, since } = this.state
    const { l1, params } = this.#options
    const { number, asOf, chain } = ledger
    const place = { chainId: Number(l1.chainId), court: l1.court, chain, operator: ownOf(params.path).operator }
    const halted = (isChild(params) && haltOf(params, this.state)) || null
    return { ...place, number, asOf, committed, since, halted }
  }

  #proof(id: Hex): OutputProof {
    const coin = get(this.state.ledger.coins, id)
    const record = coin && storedBlock(this.#options.store, coin.number)
    if (!coin || !record || record.time === 0) throw new Refusal('UnknownOutput', id)
    const { number, index, position } = coin
    const signed = storedTransactions(this.#options.store, number)[index]!
    const shown = inclusion(this.#tree(number), index, record, rootOfChildren(record.children), record.levels)
    return { transaction: signed.transaction, position, inclusion: shown }
  }

  #tree(number: number): Tree {
    const kept = this.#trees.get(number)
    if (kept) return kept
    const transactions = storedTransactions(this.#options.store, number)
    const made = txTree(transactions.map(({ transaction }) => txHash(this.#court, transaction)))
    this.#trees.set(number, made)
    for (const old of this.#trees.keys()) if (this.#trees.size > TREES) this.#trees.delete(old)
    return made
  }
}

function accepted(outcome: Outcome): Acknowledgement {
  if (outcome instanceof Refusal) throw outcome
  return outcome
}

function told(outcome: Outcome): Acknowledgement | Rejection {
  return outcome instanceof Refusal ? { code: outcome.code, detail: explain(outcome) } : outcome
}
