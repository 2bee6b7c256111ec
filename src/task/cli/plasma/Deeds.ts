// What has happened to a wallet, as its store tells it.
import { type Hex, ZERO } from '../../../core/base/Bytes.ts'
import { entries } from '../../../core/base/HashMap.ts'
import { type Rows, storedBlocks, storedTransactions } from '../../../core/plasma/Archive.ts'
import type { WalletState } from '../../../core/plasma/Purse.ts'
import type { SeenEvent } from '../../../core/plasma/Seen.ts'
import { type Output, outputId, type Transaction, txHash } from '../../../core/plasma/Transaction.ts'
import { exitsOf, type Told } from './Told.ts'

/** One thing that has happened: seconds, 0 while it has not; number of its block, 0 on layer 1. */
export interface Deed {
  readonly kind: 'deposited' | 'received' | 'paid' | 'moved' | 'paying' | 'exit' | 'left'
  readonly time: number
  readonly number: number
  /** The deposit's id, the transaction's hash, or the exit's id. */
  readonly id: Hex
  readonly asset: Hex
  /** In smallest units; an ERC-721's id. */
  readonly amount: bigint
  /** Left to the operator. */
  readonly fee: bigint
  /** Whom it was paid to, or by whom. */
  readonly who: readonly Hex[]
  readonly memo: Hex
}

const BARE = { number: 0, fee: 0n, who: [], memo: ZERO } as const

/** Everything that has happened to the wallet's owner, the oldest first, what is open last. */
export function deedsOf(state: WalletState, rows: Rows, told: Told): readonly Deed[] {
  const own = new Map<Hex, Output>()
  const deposits = told.blocks.flatMap(({ time, events }) =>
    events.flatMap((event) => depositIn(state, event, time, own)),
  )
  const { params, bad } = state.follower
  const last = bad?.number ?? Number.MAX_SAFE_INTEGER
  const blocks = storedBlocks(rows).filter(({ number }) => number < last)
  const moved = blocks.flatMap(({ number, time }) =>
    storedTransactions(rows, number).flatMap(({ transaction }) =>
      deedIn(state.owner, own, transaction, txHash(params.court, transaction), { number, time }),
    ),
  )
  const open = [...entries(state.payments)].flatMap(([hash, { transaction }]) =>
    deedIn(state.owner, own, transaction, hash, { number: 0, time: 0 }),
  )
  const started = exitsOf(state, told, 0).map(({ id, asset, amount, startedAt }): Deed => {
    return { ...BARE, kind: 'exit', id, asset, amount, time: startedAt }
  })
  const all = [...deposits, ...moved, ...started, ...paidOut(state, told)]
  return [...all.sort((a, b) => a.time - b.time || a.number - b.number), ...open]
}

function depositIn({ owner }: WalletState, event: SeenEvent, time: number, own: Map<Hex, Output>): readonly Deed[] {
  if (event.name !== 'Deposited' || event.owner !== owner) return []
  const { id, asset, value, sender } = event
  own.set(id, { owner, asset, value, lock: ZERO })
  return [{ ...BARE, kind: 'deposited', time, id, asset, amount: value, who: [sender] }]
}

/** What a transaction was to the owner; its outputs are its own from then on. */
function deedIn(
  owner: Hex,
  own: Map<Hex, Output>,
  { inputs, outputs, memo }: Transaction,
  hash: Hex,
  at: { readonly number: number; readonly time: number },
): readonly Deed[] {
  const spent = inputs.flatMap((id) => own.get(id) ?? [])
  // What is locked may go back to who locked it: it is nothing received before it is claimed.
  const mine = outputs.filter((output) => output.owner === owner && output.lock === ZERO)
  if (at.time > 0) outputs.forEach((output, i) => void (output.owner === owner && own.set(outputId(hash, i), output)))
  const common = { ...at, id: hash, fee: 0n, memo }
  if (spent.length === 0) {
    const assets = [...new Set(mine.map(({ asset }) => asset))]
    return assets.map((asset) => ({ ...common, kind: 'received', asset, amount: sum(mine, asset), who: [] }))
  }
  const others = outputs.filter((output) => output.owner !== owner)
  const { asset } = spent[0]!
  const fee = sum(spent, asset) - sum(outputs, asset)
  const amount = others.length === 0 ? sum(mine, asset) : sum(others, asset)
  const kind = at.time === 0 ? 'paying' : others.length === 0 ? 'moved' : 'paid'
  const who = [...new Set(others.map((output) => output.owner))]
  return [{ ...common, kind, asset, amount, fee: fee > 0n ? fee : 0n, who }]
}

function sum(outputs: readonly Output[], asset: Hex): bigint {
  return outputs.reduce((total, output) => (output.asset === asset ? total + output.value : total), 0n)
}

/** What layer 1 has paid of the owner's exits. */
function paidOut(state: WalletState, told: Told): readonly Deed[] {
  const views = exitsOf(state, told, 0)
  return told.blocks.flatMap(({ time, events }) =>
    events.flatMap((event): readonly Deed[] => {
      if (event.name !== 'ExitPaid') return []
      const view = views.find(({ id, kind, stage }) => id === event.ids && kind !== 'inFlight' && stage === 'paid')
      if (!view) return []
      return [{ ...BARE, kind: 'left', id: view.id, asset: view.asset, amount: event.amount, time }]
    }),
  )
}
