import type { Hex } from '../core/base/Bytes.ts'
import { type Plain, Refusal, require } from '../core/base/Step.ts'
import { Fault } from '../edge/Fault.ts'
import type { MinedView } from '../edge/http/NodeApi.ts'
import type { Store } from '../edge/store/Store.ts'

const TABLE = 'deposit'

/** What is kept of a deposit that has a name: stored before it is sent, and again once it is mined. */
interface Kept {
  readonly amount: bigint
  /** What was final of this side's deposits when it was asked for. */
  readonly before: bigint
  readonly mined: MinedView | null
}

/** What a deposit is asked of. */
export interface Till {
  deposit(amount: bigint): Promise<MinedView>
  /** What is final of this side's deposits. */
  final(): bigint
}

/** A deposit to make, under its name in its channel. */
export interface Named {
  readonly id: Hex
  readonly amount: bigint
  readonly depositId: Hex
}

/** Deposits that have a name: each is made at most once, whatever is asked for again and whenever the node ends. */
export class Deposits {
  readonly #store: Pick<Store, 'get' | 'commit'>
  readonly #running = new Map<string, Promise<MinedView>>()

  constructor(store: Pick<Store, 'get' | 'commit'>) {
    this.#store = store
  }

  /** Makes a deposit, or tells of the one of this name. Refuses IdempotencyMismatch, and DepositUnknown. */
  async make({ id, amount, depositId }: Named, till: Till): Promise<MinedView> {
    const key = `${id}/${depositId}`
    const kept = this.#store.get(TABLE, key) as unknown as Kept | undefined
    require(kept === undefined || kept.amount === amount, 'IdempotencyMismatch', depositId)
    if (kept?.mined) return kept.mined
    const running = this.#running.get(key)
    if (running) return running
    if (kept) throw new Refusal('DepositUnknown', depositId, kept.before, till.final())
    const made = this.#send(key, amount, till).finally(() => this.#running.delete(key))
    this.#running.set(key, made)
    return made
  }

  async #send(key: string, amount: bigint, till: Till): Promise<MinedView> {
    const before = till.final()
    this.#keep(key, { amount, before, mined: null })
    try {
      const { hash, block, gasUsed } = await till.deposit(amount)
      const mined = { hash, block, gasUsed }
      this.#keep(key, { amount, before, mined })
      return mined
    } catch (why) {
      if (isUnsent(why)) this.#keep(key, undefined)
      throw why
    }
  }

  #keep(key: string, kept: Kept | undefined): void {
    this.#store.commit([{ table: TABLE, key, value: kept as unknown as Plain }])
  }
}

/** Whether a deposit that failed was certainly not made: of any other fault nobody knows what becomes of it. */
function isUnsent(why: unknown): boolean {
  return why instanceof Refusal || (why instanceof Fault && why.code === 'InsufficientFunds')
}
