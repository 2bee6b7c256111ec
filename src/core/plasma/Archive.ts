import type { Hex } from '../base/Bytes.ts'
import { type L1Block, type Plain, Refusal, type Row, require } from '../base/Step.ts'
import { type Child, header, type Level, rootOfChildren, txRoot } from './Block.ts'
import { type Chain, ownOf } from './Chain.ts'
import { close, type Ledger, observe, type Signed, spend } from './Ledger.ts'
import type { Opening } from './Opening.ts'
import { packAll, unpackAll } from './Packed.ts'
import type { SeenEvent } from './Seen.ts'
import { endsOf } from './Standing.ts'
import { txHash } from './Transaction.ts'
import { type Bookmark, beginning } from './View.ts'

// How blocks and L1's events lie in a store. A ledger is never stored: it is what these rows make when they are
// executed again.

/** A store as it is read at start. */
export interface Rows {
  get(table: string, key: string): Plain | undefined
  all(table: string): readonly (readonly [key: string, value: Plain])[]
}

/** What is kept of a block besides its transactions; `time` is that of its final commitment, 0 before it. */
export interface BlockRecord {
  readonly number: number
  readonly asOf: number
  readonly header: Hex
  readonly count: number
  readonly time: number
  /** What stands in its slots, ascending; absent = it has no children. */
  readonly children?: readonly Child[]
  /** The levels above a deeper chain's block, upwards; absent at root level, and while they are not known. */
  readonly levels?: readonly Level[]
}

/** Numbers as keys that sort like numbers. */
export function key(...numbers: readonly number[]): string {
  return numbers.map((number) => String(number).padStart(13, '0')).join('/')
}

/** A row of any plain record. */
export function row(table: string, at: string, value: object): Row {
  return { table, key: at, value: value as unknown as Plain }
}

/** The row of a block's record. */
export function blockRow(record: BlockRecord): Row {
  return row('blocks', key(record.number), record)
}

/** The row of transactions that follow one another in a block from `index` on. */
export function transactionsRow(number: number, index: number, run: readonly Signed[]): Row {
  return { table: 'transactions', key: key(number, index), value: packAll(run) }
}

/** How many transactions of a whole block are one row. */
const RUN = 256

/** The rows of a block and all its transactions. */
export function blockRows(record: BlockRecord, transactions: readonly Signed[]): readonly Row[] {
  const rows = [blockRow(record)]
  for (let index = 0; index < transactions.length; index += RUN) {
    rows.push(transactionsRow(record.number, index, transactions.slice(index, index + RUN)))
  }
  return rows
}

/** The rows of L1's final blocks as far as they concern a chain, and of the bookmark behind them. */
export function l1Rows(path: readonly Chain[], blocks: readonly L1Block<SeenEvent>[], at: Bookmark): readonly Row[] {
  if (blocks.length === 0) return []
  const kept = concerning(path, blocks).map((block) => row('l1', key(block.number), block))
  return [...kept, row('l1', 'bookmark', { next: at.next, time: at.time, tip: at.tip })]
}

/**
 * The blocks of L1 with events that may concern the chain at the end of a path, and only those events: its own, the
 * commitments of its root, the registrations of its children.
 */
export function concerning(
  path: readonly Chain[],
  blocks: readonly L1Block<SeenEvent>[],
): readonly L1Block<SeenEvent>[] {
  const { root, id } = endsOf(path)
  const kept = blocks.map((block) => ({ ...block, events: block.events.filter((event) => concerns(root, id, event)) }))
  return kept.filter((block) => block.events.length > 0)
}

function concerns(root: Hex, chain: Hex, event: SeenEvent): boolean {
  if (event.name === 'Committed') return event.chain === root
  if (event.name === 'ChainRegistered') return event.chain === chain || ownOf(event.path).parent === chain
  if (event.name === 'ExitStarted') return event.exit.chain === chain
  if (event.name === 'InFlightStarted') return event.inFlight.tx.chain === chain
  return !('chain' in event) || event.chain === chain
}

/** The bookmark of a store, or the beginning. */
export function bookmarkOf(rows: Rows, from: number): Bookmark {
  return (rows.get('l1', 'bookmark') as unknown as Bookmark | undefined) ?? beginning(from)
}

/** L1's final blocks with events, oldest first. */
export function storedL1(rows: Rows): readonly L1Block<SeenEvent>[] {
  const kept = rows.all('l1').filter(([at]) => at !== 'bookmark')
  return kept.map(([, block]) => block as unknown as L1Block<SeenEvent>)
}

/** The records of all blocks, by number. */
export function storedBlocks(rows: Rows): readonly BlockRecord[] {
  return rows.all('blocks').map(([, record]) => record as unknown as BlockRecord)
}

/** The record of one block, or undefined. */
export function storedBlock(rows: Rows, number: number): BlockRecord | undefined {
  return rows.get('blocks', key(number)) as unknown as BlockRecord | undefined
}

/** The row of a number at which the chain has no block, with what shows it. */
export function passedRow(number: number, openings: readonly Opening[]): Row {
  return row('passed', key(number), openings)
}

/** The numbers at which the chain has no block, ascending. */
export function passedNumbers(rows: Rows): readonly number[] {
  return rows.all('passed').map(([at]) => Number(at))
}

/** The transactions of a number from the first on, as many as there are. */
export function storedTransactions(rows: Rows, number: number): readonly Signed[] {
  const found: Signed[] = []
  for (const run of storedRuns(rows, number)) for (const signed of run) found.push(signed)
  return found
}

/** The same, one row's after another, each read when it is asked for. */
export function* storedRuns(rows: Rows, number: number): Generator<readonly Signed[]> {
  for (let index = 0; ; ) {
    const packed = rows.get('transactions', key(number, index))
    if (packed === undefined) return
    const run = unpackAll(packed as Uint8Array)
    yield run
    index += run.length
  }
}

/** A block of a store, executed again: the ledger before its first transaction, and the one for the next block. */
export interface Replayed {
  readonly record: BlockRecord
  readonly transactions: readonly Signed[]
  readonly hashes: readonly Hex[]
  readonly before: Ledger
  readonly after: Ledger
}

/**
 * Executes the stored blocks again from `ledger` on, up to number `end` if one is bad, without asking for signatures that
 * were checked when they were stored. `gaps` = the chain has no block at some numbers. Refuses StoreDiffers(number) if a block is not what its header says.
 */
export function* replay(
  rows: Rows,
  ledger: Ledger,
  { gaps = false, end = Number.MAX_SAFE_INTEGER }: { readonly gaps?: boolean; readonly end?: number | undefined } = {},
): Generator<Replayed> {
  const l1 = storedL1(rows)
  let now = ledger
  for (const record of storedBlocks(rows)) {
    if (record.number < ledger.number) continue
    if (record.number >= end) return
    const transactions = storedTransactions(rows, record.number)
    const at = gaps && record.number > now.number ? { ...now, number: record.number } : now
    const before = observe(at, between(l1, now.asOf, record.asOf), record.asOf)
    const hashes = transactions.map(({ transaction }) => txHash(before.court, transaction))
    now = close(repeat(before, record, transactions, hashes))
    yield { record, transactions, hashes, before, after: now }
  }
}

function repeat(before: Ledger, record: BlockRecord, transactions: readonly Signed[], hashes: readonly Hex[]): Ledger {
  const same =
    before.number === record.number && header(txRoot(hashes), rootOfChildren(record.children)) === record.header
  require(same, 'StoreDiffers', record.number)
  try {
    return transactions.reduce((now, signed, i) => spend(now, signed, { hash: hashes[i]!, authorised: true }), before)
  } catch (why) {
    throw why instanceof Refusal ? new Refusal('StoreDiffers', record.number, why.code) : why
  }
}

/** The blocks of L1 with a time after `from`, up to `to`. */
export function between(l1: readonly L1Block<SeenEvent>[], from: number, to = Number.MAX_SAFE_INTEGER) {
  return l1.filter((block) => block.time > from && block.time <= to)
}
