import type { Hex } from '../base/Bytes.ts'
import * as Merkle from '../base/Merkle.ts'
import type { Domain } from '../base/Signature.ts'
import { type L1Block, type L1Input, type Plain, Refusal, type Row, require } from '../base/Step.ts'
import * as Archive from './Archive.ts'
import { type Commitment, header, txTree } from './Block.ts'
import type { Chain } from './Chain.ts'
import { close, emptyLedger, type Ledger, observe, type Signed, spend } from './Ledger.ts'
import type { SeenEvent } from './Seen.ts'
import { endsOf } from './Standing.ts'
import { txHash } from './Transaction.ts'
import { follow, headOf, type View, viewFrom } from './View.ts'

/** What somebody who checks a chain is given once. */
export interface FollowerParams {
  readonly court: Domain
  /** The chain and those above it: root level first, its own last. */
  readonly path: readonly Chain[]
  /** L1 blocks that must stand on a block before it is believed. */
  readonly depth: number
  /** Seconds of L1 for which a block must have been asked for in vain before it counts as withheld. */
  readonly patience: number
}

/** Why a chain is bad from a number on; once said it stays so. */
export interface Bad {
  readonly code: 'InvalidBlock' | 'WithheldBlock'
  readonly number: number
  readonly why: string
}

/** Somebody who executes every block of a chain again: what watchers and wallets have in common. */
export interface Follower {
  readonly params: FollowerParams
  readonly view: View<SeenEvent>
  /** Final L1 blocks that the ledger has not seen. */
  readonly l1: readonly L1Block<SeenEvent>[]
  /** Final commitments whose blocks are not executed yet, oldest first. */
  readonly commits: readonly Commitment[]
  readonly ledger: Ledger
  readonly bad: Bad | undefined
  /** The number that was asked for and has not come, and the view's time when it was. */
  readonly asked: { readonly number: number; readonly time: number } | undefined
  /** The time (of the view) since when the oldest commitment's block was asked for in vain. */
  readonly missing: number | undefined
  /** L1's newest block when this follower started; before it was seen, nothing is asked for and nothing judged. */
  readonly goal: number | undefined
}

/** What a follower is told. `head` = L1's newest number now; `missing` = nobody served a block; `tick` = ask again. */
export type FollowerInput =
  | { readonly kind: 'head'; readonly number: number }
  | { readonly kind: 'l1'; readonly input: L1Input<SeenEvent> }
  | { readonly kind: 'served'; readonly number: number; readonly transactions: readonly Signed[] }
  | { readonly kind: 'missing'; readonly number: number }
  | { readonly kind: 'tick' }

/** A block with its transactions' hashes and its tree. */
export interface Applied {
  readonly commitment: Commitment
  readonly transactions: readonly Signed[]
  readonly hashes: readonly Hex[]
  readonly tree: Merkle.Tree
}

/**
 * What an input made of a follower, what to store of it, and what became known: final L1 blocks, a valid block, or one
 * that is bad or comes after it, whose transactions are proofs all the same.
 */
export interface Progress {
  readonly follower: Follower
  readonly rows: readonly Row[]
  readonly fresh: readonly L1Block<SeenEvent>[]
  readonly applied?: Applied
  readonly seen?: Applied
  /** The number to fetch now. */
  readonly fetch?: number
  /** Said once. */
  readonly bad?: Bad
}

/** A follower from its store, telling `visit` every valid block that it had; an empty store follows L1 from `from`. */
export function restoreFollower(
  params: FollowerParams,
  rows: Archive.Rows,
  from: number,
  visit: (block: Archive.Replayed) => void = () => {},
): Follower {
  const bookmark = Archive.bookmarkOf(rows, from)
  let ledger = emptyLedger(params.court, endsOf(params.path).id, 0)
  const bad = rows.get('follower', 'bad') as unknown as Bad | undefined
  for (const block of Archive.replay(rows, ledger, bad?.number)) {
    ledger = block.after
    visit(block)
  }
  const l1 = Archive.storedL1(rows)
  const lacks = ({ number }: Commitment) => number >= ledger.number && Archive.storedBlock(rows, number) === undefined
  const commits = commitmentsOf(l1).filter(lacks)
  const view = viewFrom<SeenEvent>(params.depth, bookmark)
  const missing = rows.get('follower', 'missing') as number | undefined
  const nothing = { asked: undefined, missing, goal: undefined }
  return { params, view, l1: Archive.between(l1, ledger.asOf), commits, ledger, bad, ...nothing }
}

function commitmentsOf(blocks: readonly L1Block<SeenEvent>[]): readonly Commitment[] {
  const found: Commitment[] = []
  for (const event of blocks.flatMap((block) => block.events)) if (event.name === 'Committed') found.push(event)
  return found.map(({ number, header, time, asOf }) => ({ number, header, time, asOf }))
}

/** One input of a follower. */
export function progress(follower: Follower, input: FollowerInput): Progress {
  switch (input.kind) {
    case 'l1':
      return ask(onL1(follower, input.input))
    case 'served':
      return onServed(follower, input.number, input.transactions)
    case 'missing':
      return input.number === follower.asked?.number ? miss(follower) : still(follower)
    case 'head':
      return ask(still({ ...follower, goal: input.number }))
    case 'tick':
      return ask(still(follower))
  }
}

function still(follower: Follower): Progress {
  return { follower, rows: [], fresh: [] }
}

/** Whether L1 is seen as far as it was when this follower started. */
export function isSynced(follower: Follower): boolean {
  return follower.goal !== undefined && headOf(follower.view) >= follower.goal
}

/**
 * An answer that is none: the block may be asked for again, but not for ever. What counts is when it was asked for:
 * time may have leapt since, in a sleep of this machine or of its node. On a bad chain the others have their turn first.
 */
function miss(follower: Follower): Progress {
  const { asked, missing = follower.view.time, params, commits } = follower
  const rows = follower.missing === undefined ? [missingRow(missing)] : []
  const made = { ...still({ ...follower, asked: undefined, missing }), rows }
  const [oldest, ...rest] = commits
  if (follower.bad && oldest) return still({ ...follower, asked: undefined, commits: [...rest, oldest] })
  if (follower.bad || !oldest || !asked || asked.time <= missing + params.patience) return made
  return spoil(made, { code: 'WithheldBlock', number: oldest.number, why: 'nobody served the block' })
}

/** Since when the oldest block is missed: whoever starts anew every hour must still find that it is withheld. */
function missingRow(since: number | undefined): Row {
  return { table: 'follower', key: 'missing', value: since }
}

function ask(made: Progress): Progress {
  const { follower } = made
  const wanted = isSynced(follower) ? follower.commits[0]?.number : undefined
  if (wanted === undefined || wanted === follower.asked?.number) return made
  const asked = { number: wanted, time: follower.view.time }
  return { ...made, follower: { ...follower, asked }, fetch: wanted }
}

function onL1(follower: Follower, input: L1Input<SeenEvent>): Progress {
  const { view, fresh } = follow(follower.view, input)
  const { chain } = follower.ledger
  const kept = Archive.concerning(chain, fresh)
  const commits = [...follower.commits, ...commitmentsOf(kept)]
  const next = { ...follower, view, l1: [...follower.l1, ...kept], commits }
  return { follower: next, rows: Archive.l1Rows(chain, fresh, view), fresh: kept }
}

function spoil(made: Progress, bad: Bad): Progress {
  const row: Row = { table: 'follower', key: 'bad', value: bad as unknown as Plain }
  return { ...made, follower: { ...made.follower, bad }, rows: [...made.rows, row], bad }
}

const NOT_ASKED = { asked: undefined, missing: undefined }

/**
 * A block that is not what L1 anchored was not served at all; one that is, is executed, and bad if that fails. What comes
 * after a bad one is kept as it is.
 */
function onServed(follower: Follower, number: number, transactions: readonly Signed[]): Progress {
  const [commitment, ...commits] = follower.commits
  if (commitment?.number !== number) return still(follower)
  const hashes = transactions.map(({ transaction }) => txHash(follower.params.court, transaction))
  const tree = txTree(hashes)
  if (header(Merkle.rootOf(tree)) !== commitment.header) return miss(follower)
  const seen = { commitment, transactions, hashes, tree }
  const found = follower.missing === undefined ? [] : [missingRow(undefined)]
  const rows = [...found, ...Archive.blockRows({ ...commitment, count: transactions.length }, transactions)]
  const next = { ...follower, commits, ...NOT_ASKED }
  if (follower.bad) return ask({ follower: next, rows, fresh: [], seen })
  try {
    const ledger = execute(follower, commitment, transactions, hashes)
    const l1 = Archive.between(follower.l1, ledger.asOf)
    return ask({ follower: { ...next, ledger, l1 }, rows, fresh: [], applied: seen })
  } catch (why) {
    if (!(why instanceof Refusal)) throw why
    const worst = GARBLED.has(why.code) ? faultOf(follower, commitment, transactions, hashes) : why
    if (!worst) return miss(follower)
    return ask(spoil({ follower: next, rows, fresh: [], seen }, { code: 'InvalidBlock', number, why: worst.message }))
  }
}

/** What is said of authorisations and terms of locks, which no header anchors. */
const GARBLED: ReadonlySet<string> = new Set([
  'WrongSigner',
  'NotApproved',
  'UnwantedSignature',
  'Undecided',
  'WrongLock',
])

/**
 * What is wrong with a block besides its authorisations. Whoever serves a block may have put others in their place, so
 * that they do not verify makes nothing bad: the block is asked for again, of others too, and at last withheld.
 */
function faultOf(
  at: Follower,
  commitment: Commitment,
  transactions: readonly Signed[],
  hashes: readonly Hex[],
): Refusal | undefined {
  const bare = transactions.map((signed): Signed => {
    return signed.transaction.inputs.length === 0 ? { ...signed, authorisation: '0x' } : signed
  })
  try {
    execute(at, commitment, bare, hashes, true)
    return undefined
  } catch (why) {
    // Without the true terms nobody can say whose a locked input is.
    if (why instanceof Refusal) return why.code === 'WrongLock' ? undefined : why
    throw why
  }
}

function execute(
  at: Follower,
  commitment: Commitment,
  transactions: readonly Signed[],
  hashes: readonly Hex[],
  authorised = false,
): Ledger {
  const { number, asOf } = commitment
  require(number === at.ledger.number, 'WrongNumber', number, at.ledger.number)
  const before = observe(at.ledger, at.l1, asOf)
  return close(transactions.reduce((now, signed, i) => spend(now, signed, { hash: hashes[i]!, authorised }), before))
}

/** The last number that is finally committed. */
export function lastNumberOf({ commits, ledger }: Follower): number {
  return commits.reduce((last, { number }) => Math.max(last, number), ledger.number - 1)
}

/** Whether the follower has executed every block that was committed up to the L1 time `time`. */
export function isCaughtUp(follower: Follower, time: number): boolean {
  return follower.commits.every((commitment) => commitment.time > time)
}
