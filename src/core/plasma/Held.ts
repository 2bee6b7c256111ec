// What a wallet holds, and how that leaves: the calls with all the proofs that the court wants.
import { type Hex, ZERO } from '../base/Bytes.ts'
import { Refusal } from '../base/Step.ts'
import { DEPTH, type Inclusion } from './Block.ts'
import type { PlasmaCall } from './Call.ts'
import type { Chain } from './Chain.ts'
import type { Permit } from './Exit.ts'
import { type GroupInclusion, groupOf, MAX_MEMBERS } from './Group.ts'
import type { Source } from './InFlightExit.ts'
import type { Signed } from './Ledger.ts'
import { type LockTerms, lockOf } from './LockTerms.ts'
import type { Deposit, Output, Transaction } from './Transaction.ts'

/** Everything that the court wants to see of an output, whoever else is still there to ask. */
export type Proof =
  | { readonly kind: 'deposit'; readonly deposit: Deposit }
  | {
      readonly kind: 'output'
      readonly transaction: Transaction
      readonly position: number
      readonly inclusion: Inclusion
    }

/** An output of a wallet's owner: `use` = free, in a payment that is not settled, or on its way to L1. */
export interface Held {
  readonly id: Hex
  readonly output: Output
  readonly proof: Proof
  readonly use: 'free' | 'paying' | 'leaving'
}

/** A call that starts an exit, and the outputs that leave by it. */
export interface Leaving {
  readonly call: PlasmaCall
  readonly ids: readonly Hex[]
}

/** The call that starts the exit of an output with its proof, and the terms of its lock if it has one. */
export function exitCall(path: readonly Chain[], proof: Proof, permit: Permit, terms?: LockTerms): PlasmaCall {
  if (proof.kind === 'deposit') return { verb: 'startDepositExit', deposited: proof.deposit, permit }
  const { transaction, position: output, inclusion } = proof
  const shown = { path, transaction, output, inclusion }
  return terms ? { verb: 'startLockedExit', ...shown, terms, permit } : { verb: 'startExit', ...shown, permit }
}

/**
 * The calls by which outputs leave, few of them: those of one asset that are all deposits or all in one block go together,
 * 64 at most. Those that cannot be grouped (`single`: ids of ERC-721s, outputs in doubt) go alone, and locked ones, whose
 * terms `termsOf` knows.
 */
export function exitCalls(
  path: readonly Chain[],
  all: readonly Held[],
  permit: Permit,
  single: (one: Held) => boolean,
  termsOf: (lock: Hex) => LockTerms | undefined = () => undefined,
): readonly Leaving[] {
  const bundles = new Map<string, Held[]>()
  for (const one of all) {
    const from = one.proof.kind === 'deposit' ? 'deposit' : one.proof.inclusion.number
    const key = single(one) || one.output.lock !== ZERO ? one.id : `${one.output.asset}/${from}`
    bundles.set(key, [...(bundles.get(key) ?? []), one])
  }
  return [...bundles.values()].flatMap((bundle) => slices(bundle).map((some) => leavingOf(path, some, permit, termsOf)))
}

function slices(bundle: readonly Held[]): readonly (readonly Held[])[] {
  const count = Math.ceil(bundle.length / MAX_MEMBERS)
  return Array.from({ length: count }, (_, i) => bundle.slice(i * MAX_MEMBERS, (i + 1) * MAX_MEMBERS))
}

function leavingOf(
  path: readonly Chain[],
  some: readonly Held[],
  permit: Permit,
  termsOf: (lock: Hex) => LockTerms | undefined,
): Leaving {
  const sorted = some.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const ids = sorted.map(({ id }) => id)
  const first = sorted[0]!
  if (sorted.length === 1) return { ids, call: exitCall(path, first.proof, permit, termsOf(first.output.lock)) }
  const deposited = sorted.flatMap(({ proof }) => (proof.kind === 'deposit' ? proof.deposit : []))
  if (deposited.length === ids.length) return { ids, call: { verb: 'startDepositExits', deposited, permit } }
  const placed = sorted.flatMap(({ id, proof }) => (proof.kind === 'output' ? { id, ...proof } : []))
  const group = groupOf(
    placed.map(({ id, transaction, position, inclusion }) => {
      return { id, transaction, output: position, index: inclusion.index }
    }),
  )
  const inclusion = mergedInclusion(placed.map((one) => one.inclusion))
  return { ids, call: { verb: 'startExits', path, group, inclusion, permit } }
}

/** One proof for transactions of one block, from the proof of each. */
export function mergedInclusion(all: readonly Inclusion[]): GroupInclusion {
  const { number, time, asOf, childrenRoot, levels } = all[0]!
  const siblings: Hex[] = []
  for (let height = 0; height < DEPTH; height++) {
    const at = new Map(all.map((one) => [one.index >> height, one.siblings[height]!]))
    const lacking = [...at].filter(([index]) => !at.has(index ^ 1)).sort(([a], [b]) => a - b)
    siblings.push(...lacking.map(([, sibling]) => sibling))
  }
  return { number, time, asOf, siblings, childrenRoot, levels }
}

/** Where an input comes from that is held with this proof. */
export function sourceOf(proof: Proof): Source {
  if (proof.kind === 'deposit') return { deposited: [proof.deposit], tx: [], output: 0, inclusion: [] }
  const { transaction, position, inclusion } = proof
  return { deposited: [], tx: [transaction], output: position, inclusion: [inclusion] }
}

/**
 * The call that starts the in-flight exit of a payment whose inputs are held; `more` = the terms of its locked outputs for
 * which the starter may speak. Refuses UnknownOutput.
 */
export function flightCall(
  path: readonly Chain[],
  { transaction, authorisation, terms: own = [] }: Signed,
  held: (id: Hex) => Held | undefined,
  more: readonly LockTerms[] = [],
): PlasmaCall {
  const sources = transaction.inputs.map((id) => {
    const one = held(id)
    if (!one) throw new Refusal('UnknownOutput', id)
    return sourceOf(one.proof)
  })
  const terms = [...new Map([...own, ...more].map((one) => [lockOf(one), one])).values()]
  return { verb: 'startInFlight', path, transaction, authorisation, sources, terms }
}
