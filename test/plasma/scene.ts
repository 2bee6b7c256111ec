import type { Chain } from '../../src/core/plasma/Chain.ts'
import type { Deposit } from '../../src/core/plasma/Transaction.ts'
import {
  depositId,
  depositing,
  depositOf,
  newChain,
  payment,
  processing,
  type Sealed,
  seal,
  type Waiting,
} from './people.ts'
import { agreeOnState, alice, bob, expectDone, fork, ground, play, type Stage, stage } from './stage.ts'

/** A call as the chain traces it. */
export interface Trace {
  readonly to?: string
  readonly output?: string
  readonly calls?: readonly Trace[]
}

/** What every suite of the root chain starts its tests from: a stage, a chain on it, a deposit of alice in it. */
export interface Scene {
  readonly connection: Awaited<ReturnType<typeof ground>>
  readonly on: Stage
  readonly chain: Chain
  /** 1000 wei of alice. */
  readonly gift: Deposit
  /** A block in which alice pays 600 to bob and keeps 400, of her deposit. */
  readonly paid: () => Promise<Sealed>
  readonly later: (seconds: number) => { readonly time: number }
  readonly process: (...exits: readonly Waiting[]) => ReturnType<typeof processing>
  readonly traceOf: (hash: string) => Promise<Trace>
}

/** Sets the scene anew before each test of the suite that calls it; after each, contract and model must agree. */
export function set(): Scene {
  let connection: Scene['connection']
  let [on, chain, gift] = [] as unknown as [Stage, Chain, Deposit]
  let first: Stage
  let snapshot: Awaited<ReturnType<typeof connection.networkHelpers.takeSnapshot>>
  before(async () => {
    connection = await ground()
    first = await stage(connection)
    chain = await newChain(first)
    gift = depositOf(chain, alice.address, 1000n)
    expectDone(await play(first, depositing(gift), alice.address))
    snapshot = await connection.networkHelpers.takeSnapshot()
  })
  beforeEach(async () => {
    await snapshot.restore()
    on = fork(first)
  })
  afterEach(async () => agreeOnState(on))
  const halves = [
    [bob.address, 600n],
    [alice.address, 400n],
  ] as const
  return {
    get connection() {
      return connection
    },
    get on() {
      return on
    },
    get chain() {
      return chain
    },
    get gift() {
      return gift
    },
    paid: () => seal(on, chain, [payment(chain, [depositId(gift)], halves)]),
    later: (seconds) => ({ time: on.time + seconds }),
    process: (...exits) =>
      processing(
        chain,
        exits.map(({ exit }) => exit),
      ),
    traceOf: (hash) => {
      const params = [hash, { tracer: 'callTracer' }]
      return connection.provider.request({ method: 'debug_traceTransaction', params }) as Promise<Trace>
    },
  }
}
