import fc from 'fast-check'
import { type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import type { Domain } from '../../src/core/base/Signature.ts'
import * as Block from '../../src/core/plasma/Block.ts'
import { type Group, groupOf, siblingsOf } from '../../src/core/plasma/Group.ts'
import { type Output, outputId, type Transaction, txHash } from '../../src/core/plasma/Transaction.ts'
import { arbitrary } from '../fuzz.ts'

const { address, word } = arbitrary
const [owner, asset]: [Hex, Hex] = [`0x${'aa'.repeat(20)}`, `0x${'bb'.repeat(20)}`]

/** The chain of all groups here. */
export const CHAIN = uint(7n, 32)

/** A group with what proves it: the hashes of its leavers' transactions, in their order, and the siblings they lack. */
export interface Proven {
  readonly group: Group
  readonly hashes: readonly Hex[]
  readonly siblings: readonly Hex[]
  /** Root of the block's transactions. */
  readonly root: Hex
}

const output = fc.record({ owner: address, asset: address, value: fc.bigInt(1n, 2n ** 128n), lock: word })
/** Some outputs are the owner's; with `leaves` all of those leave. */
const payment = fc.record({
  inputs: fc.array(word, { maxLength: 4 }),
  own: fc.array(fc.bigInt(1n, 2n ** 100n), { minLength: 1, maxLength: 4 }),
  others: fc.array(output, { maxLength: 3 }),
  memo: word,
  leaves: fc.boolean(),
})
type Payment = typeof payment extends fc.Arbitrary<infer T> ? T : never

function transactionOf({ inputs, own, others, memo }: Payment): Transaction {
  const mine = own.map((value): Output => ({ owner, asset, value, lock: ZERO }))
  return { chain: CHAIN, inputs, outputs: [...mine, ...others].slice(0, 4), lastBlock: 9, memo }
}

/** Groups of outputs of random blocks, often several of one transaction, under a court's domain. */
export function groupsUnder(court: Domain): fc.Arbitrary<Proven> {
  const block = fc.array(payment, { minLength: 2, maxLength: 12 })
  return block.filter((payments) => payments.some(({ leaves }) => leaves)).map((payments) => prove(court, payments))
}

function prove(court: Domain, payments: readonly Payment[]): Proven {
  const txs = payments.map(transactionOf)
  const hashes = txs.map((tx) => txHash(court, tx))
  const leaving = payments.flatMap(({ own, leaves }, index) =>
    own.slice(0, leaves ? 4 : 0).map((_, position) => ({
      id: outputId(hashes[index]!, position),
      transaction: txs[index]!,
      output: position,
      index,
    })),
  )
  const group = groupOf(leaving)
  const tree = Block.txTree(hashes)
  const siblings = siblingsOf(
    tree,
    leaving.map(({ index }) => index),
  )
  return { group, hashes: group.leavers.map(({ index }) => hashes[index]!), siblings, root: Block.txRoot(hashes) }
}

/** The same proof and order, or with one fault in them; 4 and above is none. */
export function spoilt({ siblings, group }: Proven, how: number, pick: number, extra: Hex): [readonly Hex[], Hex] {
  const [at, one] = [pick % siblings.length, (pick % group.leavers.length) + 1]
  const { order } = group
  if (how === 0) return [siblings.toSpliced(at, 1), order]
  if (how === 1) return [siblings.toSpliced(at, 0, extra), order]
  if (how === 2) return [siblings, `0x${order.slice(2 * one + 2)}${order.slice(2, 2 * one + 2)}`]
  if (how === 3) return [siblings, `0x${order.slice(4)}${order.slice(-2)}`]
  return [siblings, order]
}
