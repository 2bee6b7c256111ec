import type { Hex } from '../../src/core/base/Bytes.ts'
import type { L1Block } from '../../src/core/base/Step.ts'
import type { Alarm } from '../../src/core/plasma/Alarm.ts'
import type { Commitment } from '../../src/core/plasma/Block.ts'
import type { PlasmaCall, PlasmaEvent } from '../../src/core/plasma/Call.ts'
import type { PlasmaCourt } from '../../src/core/plasma/Draft.ts'
import type { Signed } from '../../src/core/plasma/Ledger.ts'
import type { SimulatedCourt, SimulatedL1 } from '../../src/edge/chain/SimulatedL1.ts'
import type { Store } from '../../src/edge/store/Store.ts'
import type { Operator } from '../../src/role/Operator.ts'
import type { Wallet } from '../../src/role/Wallet.ts'
import type { Watcher } from '../../src/role/Watcher.ts'
import type { Body, Disk } from '../world/Body.ts'
import type { Dice, Scheduler } from '../world.ts'
import type { Name, Script, Who } from './Act.ts'

export type Run = () => void
/** Runs what is given, now or later. */
export type Lane = (run: Run) => void
/** A lane that can be held up. */
export type Gate = Lane & { hold(on: boolean): void }

/** Somebody's process: it may die and come back with what its disk holds. */
export interface Host {
  readonly name: Name
  readonly loop: Gate
  readonly chain: Gate
  readonly disk: Disk
  body: Body
  /** Out of order until somebody starts it again. */
  isDown: boolean
  role: Wallet | Operator | Watcher | undefined
}

/** What a wallet was told, and what it wanted. */
export interface Book {
  readonly owner: Hex
  /** Values of what it holds or held, by id: deposits, and outputs of payments that were received. */
  readonly told: Map<Hex, bigint>
  /** Payments that it has signed, by hash, and those of them that are paid or dead. */
  readonly signed: Map<Hex, Signed>
  readonly paid: Set<Hex>
  readonly dead: Set<Hex>
}

/** How a rule is broken on purpose, to see that it is noticed. */
export interface Broken {
  readonly store?: (store: Store) => Store
  readonly operatorStore?: (store: Store) => Store
  /** The watcher finds everything and sends nothing. */
  readonly isWatcherIdle?: boolean
  /** Wallets do nothing by themselves. */
  readonly noGuard?: boolean
  /** Wallets wait for a block for ever. */
  readonly isPatient?: boolean
  /** Wallets believe what may be taken back. */
  readonly isHasty?: boolean
}

/** Everything of one history but its thief. */
export interface Ground {
  readonly script: Script
  readonly broken: Broken
  readonly dice: Dice
  readonly scheduler: Scheduler
  readonly l1: SimulatedL1
  readonly court: SimulatedCourt<PlasmaCourt, PlasmaCall, PlasmaEvent>
  readonly asset: Hex
  readonly hosts: Readonly<Record<Name, Host>>
  readonly books: Readonly<Record<Who, Book>>
  /** Layer 1's blocks. */
  readonly heard: L1Block<PlasmaEvent>[]
  /** The chain's commitments on layer 1 now, oldest first; and every block that anybody has made, by header. */
  readonly commits: Commitment[]
  readonly blocks: Map<Hex, readonly Signed[]>
  /** What the operator has promised, and what it has taken back. */
  readonly acknowledged: Set<Hex>
  readonly dropped: Set<Hex>
  readonly alarms: Alarm[]
  readonly faults: string[]
  readonly violations: string[]
  /** How often what has happened. */
  readonly seen: Map<string, number>
  /** What may go wrong now: nothing, once the end has come. */
  readonly mood: { calm: boolean; late: number; turned: boolean; salt: number }
}
