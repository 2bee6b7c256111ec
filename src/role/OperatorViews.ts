// What an operator tells of transactions and deposits, from its state and its store.
import { type Hex, ZERO } from '../core/base/Bytes.ts'
import { entries, get } from '../core/base/HashMap.ts'
import { require } from '../core/base/Step.ts'
import { between, storedBlock, storedRuns } from '../core/plasma/Archive.ts'
import { type Coin, idsOf } from '../core/plasma/Ledger.ts'
import type { OperatorState } from '../core/plasma/Office.ts'
import { type Place, storedDrop, storedPlace } from '../core/plasma/Places.ts'
import { claimOn } from '../core/plasma/Running.ts'
import { outputId } from '../core/plasma/Transaction.ts'
import type { DepositPage, OpenBlock, Page, SeenDeposit, TransactionStatus } from '../edge/http/OperatorApi.ts'
import type { Store } from '../edge/store/Store.ts'

/** How many outputs are looked at for one page. */
const PAGE = 1000

/** What became of a transaction. */
export function statusOf(state: OperatorState, store: Store, txHash: Hex): TransactionStatus {
  const place = placeOf(state, store, txHash, Number.POSITIVE_INFINITY)
  if (place) return { status: stageOf(state, place), txHash, ...place }
  const code = storedDrop(store, txHash)
  if (code === undefined) return { status: 'unknown', txHash }
  return { status: code === 'Expired' ? 'expired' : 'dropped', txHash, code }
}

function stageOf(state: OperatorState, { number }: Place) {
  if (number === state.ledger.number) return 'waiting'
  return number > state.committed ? 'sealed' : 'committed'
}

/** Where a transaction is, if it is in a block: of the committed ones the newest `blocks` are looked through. */
export function placeOf(state: OperatorState, store: Store, txHash: Hex, blocks: number): Place | undefined {
  const coin = get(state.ledger.coins, outputId(txHash, 0))
  if (coin) return { number: coin.number, index: coin.index }
  for (const { number, hashes } of state.sealed) {
    const index = indicesOf(hashes).get(txHash)
    if (index !== undefined) return { number, index }
  }
  return storedPlace(store, txHash, state.committed, blocks)
}

/** By a block's hashes; made when somebody asks for the first time. */
const indices = new WeakMap<readonly Hex[], ReadonlyMap<Hex, number>>()

function indicesOf(hashes: readonly Hex[]): ReadonlyMap<Hex, number> {
  const known = indices.get(hashes) ?? new Map(hashes.map((hash, index) => [hash, index]))
  indices.set(hashes, known)
  return known
}

/** A sealed block in parts, read as they are asked for. Refuses UnknownBlock(number). */
export function openBlock(store: Store, number: number): OpenBlock {
  const record = storedBlock(store, number)
  require(record !== undefined, 'UnknownBlock', number)
  const { asOf, header, children } = record
  return { head: { number, asOf, header, ...(children && { children }) }, runs: storedRuns(store, number) }
}

/** A page of an owner's unspent outputs. */
export function unspentOf(state: OperatorState, owner: Hex, after?: Hex): Page {
  const { coins, next } = coinsOf(state, owner, after, () => true)
  const outputs = coins.map(([id, { output, number }]) => {
    return { id, output, number, frozen: claimOn(state.ledger.running, id, ZERO) !== undefined }
  })
  return { outputs, next }
}

/** A page of an owner's deposits. */
export function depositsOf(state: OperatorState, owner: Hex, after?: Hex): DepositPage {
  const { coins, next } = coinsOf(state, owner, after, ({ number }) => number === 0)
  const spendable = coins.map(([id, { output }]): SeenDeposit => {
    return { id, asset: output.asset, value: output.value, status: 'spendable', finalAt: null }
  })
  return { deposits: after === undefined ? [...comingOf(state, owner), ...spendable] : spendable, next }
}

function comingOf({ view, l1, ledger }: OperatorState, owner: Hex): readonly SeenDeposit[] {
  const found: SeenDeposit[] = []
  for (const block of [...between(l1, ledger.asOf), ...view.window]) {
    const isFinal = block.number < view.next
    for (const event of block.events) {
      if (event.name !== 'Deposited' || event.chain !== ledger.chain || event.owner !== owner) continue
      const { id, asset, value } = event
      const status = isFinal ? 'final' : 'unconfirmed'
      found.push({ id, asset, value, status, finalAt: isFinal ? null : block.number + view.depth })
    }
  }
  return found
}

function coinsOf({ ledger }: OperatorState, owner: Hex, after: Hex | undefined, wanted: (coin: Coin) => boolean) {
  const coins: (readonly [Hex, Coin])[] = []
  let [last, left] = [after, PAGE]
  for (const [id] of entries(idsOf(ledger, owner), after)) {
    if (left-- === 0) return { coins, next: last! }
    const coin = get(ledger.coins, id)!
    if (wanted(coin)) coins.push([id, coin])
    last = id
  }
  return { coins, next: null }
}
