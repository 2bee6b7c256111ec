import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { addressOf, domain, sign } from '../../src/core/base/Signature.ts'
import type { PlasmaCall } from '../../src/core/plasma/Call.ts'
import { chainId } from '../../src/core/plasma/Chain.ts'
import type { Signed } from '../../src/core/plasma/Ledger.ts'
import type { SeenEvent } from '../../src/core/plasma/Seen.ts'
import { depositId, type Transaction, txHash } from '../../src/core/plasma/Transaction.ts'
import type { Chain } from '../../src/edge/chain/Chain.ts'
import type { OperatorEvent } from '../../src/edge/http/OperatorApi.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import type { Store } from '../../src/edge/store/Store.ts'
import { Operator } from '../../src/role/Operator.ts'

const COURT: Hex = `0x${'c0'.repeat(20)}`
export const DOMAIN = domain(31337n, COURT)
export const CHAIN = { parent: ZERO, slot: 0, operator: addressOf(uint(1, 32)) }
const PAYER = uint(2, 32)
export const OWNER = addressOf(PAYER)
export const DEPTH = 1

/** A deposit that the owner has made. */
export function deposit(n: number) {
  return { chain: chainId(CHAIN), sender: OWNER, salt: uint(n, 32), owner: OWNER, asset: ETHER, value: 10n }
}

/** The payment that spends a deposit, its fields changed as told. */
export function payment(n: number, fields: Partial<Transaction> = {}): Signed {
  const outputs = [{ owner: CHAIN.operator, asset: ETHER, value: 10n, lock: ZERO }]
  const made = {
    chain: chainId(CHAIN),
    inputs: [depositId(deposit(n))],
    outputs,
    lastBlock: 9999,
    memo: ZERO,
    ...fields,
  }
  return { transaction: made, authorisation: sign(txHash(DOMAIN, made), PAYER) }
}

/** A layer 1 that a test mines by hand; commitments are mined in the next block. */
export class Layer1 {
  readonly #sinks: Parameters<Chain<PlasmaCall, SeenEvent>['follow']>[1][] = []
  readonly #due: SeenEvent[] = []
  #number = 0
  get time(): number {
    return 1000 + this.#number
  }

  mine(...events: readonly SeenEvent[]): void {
    const number = this.#number++
    const all = [...this.#due.splice(0), ...events].map((event) => {
      return event.name === 'Committed' ? { ...event, time: 1000 + number } : event
    })
    const block = {
      number,
      hash: uint(number + 1, 32),
      parent: number === 0 ? ZERO : uint(number, 32),
      time: 1000 + number,
      events: all,
    }
    for (const sink of this.#sinks) sink({ kind: 'block', block })
  }

  get chain(): Chain<PlasmaCall, SeenEvent> {
    return {
      chainId: 31337n,
      court: COURT,
      sender: CHAIN.operator,
      verdict: async () => undefined,
      head: async () => this.#number - 1,
      follow: (_, sink) => {
        this.#sinks.push(sink)
        return () => {}
      },
      send: async (call) => {
        if (call.verb !== 'commit') throw new Error(`nobody expected ${call.verb}`)
        const { number, header, asOf } = call
        this.#due.push({ name: 'Committed', chain: chainId(CHAIN), number, header, time: 0, asOf })
        return { hash: ZERO, block: this.#number, gasUsed: 0n }
      },
    }
  }
}

export interface Stage {
  readonly l1: Layer1
  readonly operator: Operator
  readonly store: Store
  readonly events: OperatorEvent[]
}

/** An operator whose owner has so many deposits to spend. */
export async function stage(
  count: number,
  more: Partial<ConstructorParameters<typeof Operator>[0]> = {},
): Promise<Stage> {
  const [l1, store, events] = [new Layer1(), memoryStore(), [] as OperatorEvent[]]
  const params = { path: [CHAIN], depth: DEPTH, margin: 3600, fees: [], maxTransactions: 60_000 }
  const onFailure = (why: unknown) => {
    throw why
  }
  const operator = new Operator({ l1: l1.chain, store, params, from: 0, onFailure, ...more })
  operator.api.subscribe?.((event) => events.push(event))
  const deposits = Array.from({ length: count }, (_, n): SeenEvent => {
    return { name: 'Deposited', id: depositId(deposit(n)), ...deposit(n) }
  })
  l1.mine({ name: 'ChainRegistered', chain: chainId(CHAIN), since: 0, path: [CHAIN] }, ...deposits)
  for (let n = 0; n < DEPTH; n++) l1.mine()
  await settled()
  return { l1, operator, store, events }
}

/** Until everything that was handed over is done: each loop turn is one of the event loop. */
export async function settled(): Promise<void> {
  for (let n = 0; n < 20; n++) await new Promise((done) => setImmediate(done))
}
