import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import type { Tree } from '../../src/core/base/Merkle.ts'
import * as Block from '../../src/core/plasma/Block.ts'
import type { PlasmaCall, PlasmaEvent } from '../../src/core/plasma/Call.ts'
import { type Chain, chainId } from '../../src/core/plasma/Chain.ts'
import { type Exit, OWN_PERMIT, type Permit } from '../../src/core/plasma/Exit.ts'
import type { Member } from '../../src/core/plasma/Group.ts'
import type { Spend } from '../../src/core/plasma/Spend.ts'
import {
  type Deposit,
  depositId,
  type Output,
  outputId,
  type Transaction,
  txHash,
} from '../../src/core/plasma/Transaction.ts'
import type { Account } from '../../src/edge/chain/LocalAccounts.ts'
import { expectDone, operator, play, type Stage, signed } from './stage.ts'

/** A chain of the root level that is registered. */
export async function newChain(on: Stage, slot = 0, by: Account = operator): Promise<Chain> {
  const chain = { parent: ZERO, slot, operator: by.address }
  expectDone(await play(on, { verb: 'register', path: [chain], signatures: ['0x'] }, by.address))
  return chain
}

/** A deposit by its owner. */
export function depositOf(
  chain: Chain,
  owner: Hex,
  value: bigint,
  salt = 1n,
  sender = owner,
  asset: Hex = ETHER,
): Deposit {
  return { chain: chainId(chain), sender, salt: uint(salt, 32), owner, asset, value }
}

/** The call that makes a deposit. */
export function depositing({ sender: _, ...terms }: Deposit): PlasmaCall {
  return { verb: 'deposit', ...terms }
}

/** A transaction of one owner's outputs to others. */
export function payment(
  chain: Chain,
  inputs: readonly Hex[],
  to: readonly (readonly [Hex, bigint])[],
  change: Partial<Transaction> = {},
): Transaction {
  const outputs = to.map(([owner, value]): Output => ({ owner, asset: ETHER, value, lock: ZERO }))
  return { chain: chainId(chain), inputs, outputs, lastBlock: 1000, memo: ZERO, ...change }
}

/** A block that is committed: its transactions, their tree, and what L1 keeps of it; of a deeper chain its way up. */
export interface Sealed {
  readonly chain: Chain
  readonly path?: readonly Chain[]
  readonly childrenRoot?: Hex
  readonly levels?: readonly Block.Level[]
  readonly txs: readonly Transaction[]
  readonly tree: Tree
  readonly commitment: Block.Commitment
}

/** Commits a block of these transactions as the chain's next number. */
export async function seal(on: Stage, chain: Chain, txs: readonly Transaction[], view = on.time): Promise<Sealed> {
  const tree = Block.txTree(txs.map((tx) => txHash(on.domain, tx)))
  const header = Block.header(Block.txRoot(txs.map((tx) => txHash(on.domain, tx))))
  const number = (on.model.chains.get(chainId(chain))?.number ?? 0) + 1
  const call: PlasmaCall = { verb: 'commit', chain, number, header, asOf: view }
  const { events } = expectDone(await play(on, call, operator.address))
  const { time, asOf } = events[0] as Extract<PlasmaEvent, { name: 'Committed' }>
  return { chain, txs, tree, commitment: { number, header, time, asOf } }
}

/** The proof that a block's transaction is in it. */
export function shown({ tree, commitment, childrenRoot, levels }: Sealed, index = 0): Block.Inclusion {
  return Block.inclusion(tree, index, commitment, childrenRoot, levels)
}

/** The way from the root level to a block's chain. */
export function pathOf({ chain, path }: Sealed): readonly Chain[] {
  return path ?? [chain]
}

/** The call that starts the exit of an output of a block's transaction. */
export function exiting(block: Sealed, index = 0, output = 0, permit: Permit = OWN_PERMIT) {
  const inclusion = shown(block, index)
  return { verb: 'startExit', path: pathOf(block), transaction: block.txs[index]!, output, inclusion, permit } as const
}

/** The call that starts the exit of a deposit. */
export function exitingDeposit(deposited: Deposit, permit: Permit = OWN_PERMIT) {
  return { verb: 'startDepositExit', deposited, permit } as const
}

/** An exit that waits, as its start's event told it. */
export type Waiting = Extract<PlasmaEvent, { name: 'ExitStarted' }>

/** Starts an exit, which must go through. */
export async function start(on: Stage, call: PlasmaCall, by: Hex, sending = {}): Promise<Waiting> {
  const { events } = expectDone(await play(on, call, by, sending))
  return events.find((event) => event.name === 'ExitStarted')!
}

/** The call that challenges an exit by a transaction that its owner signed. */
export function challenging(
  on: Stage,
  { exit, lane, index }: Waiting,
  chain: Chain | readonly Chain[],
  spend: Partial<Spend>,
  by?: Account,
) {
  const tx = spend.tx!
  const authorisation = by ? signed(txHash(on.domain, tx), by) : '0x'
  const whole: Spend = { tx, input: tx.inputs.indexOf(exit.ids), authorisation, inclusion: [], ...spend }
  const path: readonly Chain[] = 'parent' in chain ? [chain] : chain
  return { verb: 'challengeExit', path, exit, lane, index, spend: whole } as const
}

/** The call that processes these exits of a chain, in ether unless said otherwise, groups with their members. */
export function processing(chain: Chain, exits: readonly Exit[], members: readonly Member[] = [], asset: Hex = ETHER) {
  return { verb: 'process', chain: chainId(chain), asset, exits, members, inFlight: [] } as const
}

/** The id of a block's output. */
export function idOf(on: Stage, block: Sealed, index = 0, output = 0): Hex {
  return outputId(txHash(on.domain, block.txs[index]!), output)
}

export { chainId, depositId, txHash }
