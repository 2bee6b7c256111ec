import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import type { Nature } from '../../src/core/base/Court.ts'
import { addressOf, domain } from '../../src/core/base/Signature.ts'
import type { L1Input } from '../../src/core/base/Step.ts'
import { registry } from '../../src/core/base/Verdicts.ts'
import type { Alarm } from '../../src/core/plasma/Alarm.ts'
import type { PlasmaCall, PlasmaEvent } from '../../src/core/plasma/Call.ts'
import type { Chain as PlasmaChain } from '../../src/core/plasma/Chain.ts'
import { deployed, type PlasmaCourt } from '../../src/core/plasma/Draft.ts'
import type { OperatorOutput, OperatorParams } from '../../src/core/plasma/Office.ts'
import { rootChain } from '../../src/core/plasma/RootChain.ts'
import type { SeenEvent } from '../../src/core/plasma/Seen.ts'
import { callValue } from '../../src/core/plasma/Sending.ts'
import type { Chain, Registry } from '../../src/edge/chain/Chain.ts'
import { type SimulatedCourt, type SimulatedL1, simulatedL1 } from '../../src/edge/chain/SimulatedL1.ts'
import type { OperatorApi } from '../../src/edge/http/OperatorApi.ts'
import { memoryClient } from '../../src/edge/http/OperatorClient.ts'
import { operatorHandler } from '../../src/edge/http/OperatorServer.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import type { Store } from '../../src/edge/store/Store.ts'
import { Operator } from '../../src/role/Operator.ts'
import { Wallet } from '../../src/role/Wallet.ts'
import { Watcher, type WatcherOptions } from '../../src/role/Watcher.ts'

export const COURT: Hex = `0x${'c0'.repeat(20)}`
export const REGISTRY: Hex = `0x${'4e'.repeat(20)}`
export const ETHER_100 = 100n * 10n ** 18n
export const MFP = 7 * 86_400
export const DEPTH = 2

/** A private key by its number. */
export function key(n: number): Hex {
  return uint(1000 + n, 32)
}

export const WATCHER = addressOf(key(9))
export const OPERATOR_KEY = key(0)
export const CHAIN: PlasmaChain = { parent: ZERO, slot: 0, operator: addressOf(OPERATOR_KEY) }
export const DOMAIN = domain(31337n, COURT)

/** Layer 1 with the court's model and funded accounts, and people made on demand; nothing is mined by itself. */
export class World {
  readonly l1: SimulatedL1 = simulatedL1()
  readonly court: SimulatedCourt<PlasmaCourt, PlasmaCall, PlasmaEvent>
  readonly alarms: Alarm[] = []
  readonly failures: unknown[] = []
  readonly dropped: OperatorOutput[] = []
  /** The commitments of the chain that layer 1 has now, oldest first. */
  readonly commits: (PlasmaEvent & { readonly name: 'Committed' })[] = []
  /** Every call that anybody sent. */
  readonly calls: PlasmaCall[] = []
  /** Senders whose transactions layer 1 does not take. */
  readonly deaf = new Set<Hex>()
  readonly stops: (() => void)[] = []
  /** What tokens say that they are: fungible unless told. */
  readonly natures = new Map<Hex, Nature>()

  constructor() {
    const terms = { court: DOMAIN, mfp: MFP, margin: 3600, alarm: 43_200 }
    const bonds = { bondGas: 150_000n, feeFloor: 10n ** 9n, feeCeiling: 200n * 10n ** 9n }
    const state = deployed({ ...terms, ...bonds })
    const natureOf = (asset: Hex) => this.natures.get(asset) ?? 'fungible'
    const rules: typeof rootChain = (court, call, env) => rootChain(court, call, { ...env, natureOf })
    this.l1.deploy(REGISTRY, registry, { verdicts: new Map() })
    const value = (call: PlasmaCall, fee: bigint, by: Hex) => callValue(state.terms, call, fee, by)
    this.court = this.l1.deploy(COURT, rules, state, value, REGISTRY)
    this.court.connect(COURT).follow(0, (input) => this.#record(input))
    for (let n = 0; n < 10; n++) this.l1.money.mint(ETHER, addressOf(key(n)), ETHER_100)
  }

  connect(sender: Hex): Chain<PlasmaCall, SeenEvent> & Registry {
    const l1 = this.court.connect(sender)
    const send = (call: PlasmaCall) => {
      this.calls.push(call)
      return this.deaf.has(sender) ? Promise.reject(new Error('deaf')) : l1.send(call)
    }
    return { ...l1, send }
  }

  #record({ kind, block }: L1Input<PlasmaEvent>): void {
    for (const event of block.events) {
      if (event.name === 'Committed') kind === 'block' ? this.commits.push(event) : this.commits.pop()
    }
  }

  operator(store: Store = memoryStore(), params: Partial<OperatorParams> = {}): Operator {
    const all = { path: [CHAIN], depth: DEPTH, margin: 3600, fees: [], maxTransactions: 1000, ...params }
    const l1 = this.connect(all.path.at(-1)!.operator)
    const onFailure = (why: unknown) => this.failures.push(why)
    const onOutput = (output: OperatorOutput) => output.kind === 'dropped' && this.dropped.push(output)
    const made = new Operator({ l1, store, params: all, from: 0, onOutput, onFailure })
    this.stops.push(() => made.stop())
    return made
  }

  watcher(
    operator: Pick<OperatorApi, 'block'>,
    store: Store = memoryStore(),
    more: Partial<WatcherOptions> = {},
  ): Watcher {
    const l1 = this.connect(WATCHER)
    const onFailure = (why: unknown) => this.failures.push(why)
    const times = { depth: DEPTH, patience: 6 * 3600, warning: 86_400, from: 0 }
    const onAlarm = (alarm: Alarm) => this.alarms.push(alarm)
    const made = new Watcher({ l1, store, operator, path: [CHAIN], ...times, onAlarm, onFailure, ...more })
    this.stops.push(() => made.stop())
    return made
  }

  /** A wallet that does only what it is told, unless it shall guard itself. */
  wallet(
    n: number,
    operator: Pick<OperatorApi, 'block' | 'submit'>,
    store: Store = memoryStore(),
    guard = false,
    path: readonly PlasmaChain[] = [CHAIN],
    life = 50,
  ): Wallet {
    const l1 = this.connect(addressOf(key(n)))
    const onFailure = (why: unknown) => this.failures.push(why)
    const params = { path, key: key(n), depth: DEPTH, patience: 6 * 3600, life, guard }
    const made = new Wallet({ l1, store, operator, params, from: 0, onFailure })
    this.stops.push(() => made.stop())
    return made
  }

  /** Lets everybody finish what they are at. */
  async rest(): Promise<void> {
    for (let i = 0; i < 60; i++) await new Promise((done) => setImmediate(done))
  }

  /** Mines blocks, everybody resting in between. */
  async mine(blocks = 1): Promise<void> {
    for (let i = 0; i < blocks; i++) {
      await this.rest()
      this.l1.mine()
    }
    await this.rest()
  }

  /** Seals, and mines until everybody believes what was sealed. */
  async settle(operator: Operator): Promise<void> {
    operator.seal()
    await this.mine(DEPTH + 3)
  }

  /** Lets seconds pass, then mines until their end is final. */
  async pass(seconds: number): Promise<void> {
    await this.rest()
    this.l1.mine(this.l1.head().time + seconds)
    await this.mine(DEPTH + 1)
  }

  stop(): void {
    for (const stop of this.stops) stop()
  }
}

/** An operator's API through its whole codec, without a network. */
export function through(operator: Operator): OperatorApi {
  return memoryClient(operatorHandler(operator.api))
}
