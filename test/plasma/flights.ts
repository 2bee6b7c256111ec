import { type Hex, ZERO } from '../../src/core/base/Bytes.ts'
import type { Inclusion } from '../../src/core/plasma/Block.ts'
import type { CallOf, PlasmaEvent } from '../../src/core/plasma/Call.ts'
import type { Chain } from '../../src/core/plasma/Chain.ts'
import { DEPOSITED, type Exit, PAID } from '../../src/core/plasma/Exit.ts'
import type { InFlightExit, Source } from '../../src/core/plasma/InFlightExit.ts'
import type { LockTerms } from '../../src/core/plasma/LockTerms.ts'
import type { Spend } from '../../src/core/plasma/Spend.ts'
import type { Deposit, Output, Transaction } from '../../src/core/plasma/Transaction.ts'
import type { Account } from '../../src/edge/chain/LocalAccounts.ts'
import { chainId, payment, type Sealed, shown, txHash } from './people.ts'
import { ETHER, expectDone, fork, lastRuns, MFP, play, type Sending, type Stage, signed } from './stage.ts'

/** Seconds in which an in-flight exit may be piggybacked, and its transaction doubted. */
export const HALF = MFP / 2

/** A running in-flight exit, as its start's event told it. */
export type Running = Extract<PlasmaEvent, { name: 'InFlightStarted' }>

/** An output of ether or of another asset, plain unless a lock is given. */
export function output(owner: Hex, value: bigint, asset: Hex = ETHER, lock: Hex = ZERO): Output {
  return { owner, asset, value, lock }
}

/** A transaction of these outputs. */
export function transfer(
  chain: Chain,
  inputs: readonly Hex[],
  outputs: readonly Output[],
  change: Partial<Transaction> = {},
): Transaction {
  return payment(chain, inputs, [], { outputs, ...change })
}

/** An input that is a deposit. */
export function deposited(deposit: Deposit): Source {
  return { deposited: [deposit], tx: [], output: 0, inclusion: [] }
}

/** An input that is an output of a block's transaction. */
export function included(block: Sealed, index = 0, position = 0): Source {
  return { deposited: [], tx: [block.txs[index]!], output: position, inclusion: [shown(block, index)] }
}

/** The call that starts a transaction's exit; signed by the payee of its inputs if one is given. */
export function starting(
  on: Stage,
  path: readonly Chain[],
  transaction: Transaction,
  sources: readonly Source[],
  by?: Account,
  terms: readonly LockTerms[] = [],
): CallOf<'startInFlight'> {
  const authorisation = by ? signed(txHash(on.domain, transaction), by) : '0x'
  return { verb: 'startInFlight', path, transaction, authorisation, sources, terms }
}

/** Starts an in-flight exit, which must go through. */
export async function launch(
  on: Stage,
  call: CallOf<'startInFlight'>,
  by: Hex,
  sending: Sending = {},
): Promise<Running> {
  expectDone(await play(on, call, by, sending))
  return lastRuns(on).find(({ txHash: hash }) => hash === txHash(on.domain, call.transaction))!
}

/** The call that asks for positions of a running exit. */
export function piggybacking(
  { inFlight }: Running,
  positions: number,
  terms: readonly LockTerms[] = [],
): CallOf<'piggyback'> {
  return { verb: 'piggyback', inFlight, positions, terms }
}

/** A transaction that spends `id`, signed by a payee if one is given; live unless an inclusion is. */
export function spending(
  on: Stage,
  tx: Transaction,
  id: Hex,
  by?: Account,
  inclusion: readonly Inclusion[] = [],
): Spend {
  const authorisation = by ? signed(txHash(on.domain, tx), by) : '0x'
  return { tx, input: tx.inputs.indexOf(id), authorisation, inclusion }
}

/** The call that shows another spend of the input at `position`. */
export function competing(
  path: readonly Chain[],
  { inFlight }: Running,
  position: number,
  spend: Spend,
  terms: readonly LockTerms[] = [],
): CallOf<'compete'> {
  return { verb: 'compete', path, inFlight, position, spend, terms }
}

/** The call that shows a spend of the output at `position`. */
export function objecting(
  path: readonly Chain[],
  { inFlight }: Running,
  position: number,
  spend: Spend,
  terms: readonly LockTerms[] = [],
): CallOf<'challengeOutput'> {
  return { verb: 'challengeOutput', path, inFlight, position, spend, terms }
}

/** The call that shows where a running exit's transaction is. */
export function responding(path: readonly Chain[], { inFlight }: Running, inclusion: Inclusion): CallOf<'respond'> {
  return { verb: 'respond', path, inFlight, inclusion }
}

/** The call that processes in-flight exits, and standard ones, of a chain's queue of an asset. */
export function landing(
  chain: Chain,
  runs: readonly (Running | InFlightExit)[],
  asset: Hex = ETHER,
  exits: readonly Exit[] = [],
): CallOf<'process'> {
  const inFlight = runs.map((run) => ('inFlight' in run ? run.inFlight : run))
  return { verb: 'process', chain: chainId(chain), asset, exits, members: [], inFlight }
}

/** What an exit has paid of each position, as its events told: nothing, or all of it. */
export function paidBy(events: readonly PlasmaEvent[]): Readonly<Record<number, bigint>> {
  const paid = events.filter((event) => event.name === 'InFlightPaid')
  return Object.fromEntries(paid.map(({ position, amount }) => [position, amount]))
}

/** Makes a call from a state that nobody else sees: afterwards contract and model are as they were. */
export async function aside<Result>(on: Stage, what: () => Promise<Result>): Promise<Result> {
  const snapshot = await on.connection.networkHelpers.takeSnapshot()
  const before = fork(on)
  try {
    return await what()
  } finally {
    await snapshot.restore()
    Object.assign(on, before)
  }
}

/** What layer 1 knows of an output, in one word. */
export function fate(on: Stage, id: Hex): 'unknown' | 'deposited' | 'paid' | 'consumed' {
  const status = on.model.status.get(id) ?? 0n
  if (status === 0n) return 'unknown'
  if (status === DEPOSITED) return 'deposited'
  return status === PAID ? 'paid' : 'consumed'
}
