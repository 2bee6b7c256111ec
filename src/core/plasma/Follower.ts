import type { Hex } from '../base/Bytes.ts'
import * as Merkle from '../base/Merkle.ts'
import type { Domain } from '../base/Signature.ts'
import { type L1Block, type L1Input, type Plain, Refusal, type Row, require } from '../base/Step.ts'
import * as Archive from './Archive.ts'
import { type Child, type Commitment, header, type Level, rootOfChildren, txTree } from './Block.ts'
import type { Chain } from './Chain.ts'
import { close, emptyLedger, type Known, type Ledger, observe, type Signed, spend } from './Ledger.ts'
import { type Opening, type Shown, shownBy } from './Opening.ts'
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
  /** The same for a slot on the way to a deeper chain that nobody opens; without it, `patience`. */
  readonly alarm?: number
}

/** Why a chain is bad from a number on; once said it stays so. */
export interface Bad {
  readonly code: 'InvalidBlock' | 'WithheldBlock' | 'UnopenedSlot'
  readonly number: number
  readonly why: string
}

/** Somebody who executes every block of a chain again: what watchers and wallets have in common. */
export interface Follower {
  readonly params: FollowerParams
  readonly view: View<SeenEvent>
  /** Final L1 blocks that the ledger has not seen. */
  readonly l1: readonly L1Block<SeenEvent>[]
  /** The root's final commitments at which this chain's block is not executed yet, oldest first. */
  readonly commits: readonly Commitment[]
  readonly ledger: Ledger
  /** A deeper chain has no block before it is registered, whatever its root commits. */
  readonly registered: boolean
  readonly bad: Bad | undefined
  /** The number that was asked for and has not come, and the view's time when it was. */
  readonly asked: { readonly number: number; readonly time: number } | undefined
  /** The time (of the view) since when the oldest commitment's block was asked for in vain. */
  readonly missing: number | undefined
  /** L1's newest block when this follower started; before it was seen, nothing is asked for and nothing judged. */
  readonly goal: number | undefined
}

/**
 * What a follower is told. `head` = L1's newest number now; `served` = a block, of a deeper chain with the openings of its
 * ancestors' blocks, root level first; `opened` = those alone; `missing` = nobody served anything; `tick` = ask again.
 */
export type FollowerInput =
  | { readonly kind: 'head'; readonly number: number }
  | { readonly kind: 'l1'; readonly input: L1Input<SeenEvent> }
  | Served
  | { readonly kind: 'opened'; readonly number: number; readonly openings: readonly Opening[] }
  | { readonly kind: 'missing'; readonly number: number }
  | { readonly kind: 'tick' }

/** A block as somebody serves it. */
export interface Served {
  readonly kind: 'served'
  readonly number: number
  readonly transactions: readonly Signed[]
  readonly children?: readonly Child[]
  readonly openings?: readonly Opening[]
  /** What this side has found out of each transaction, by `check`. */
  readonly known?: readonly Known[]
}

/** A block with its transactions' hashes and its tree, and what proofs need besides. */
export interface Applied {
  readonly commitment: Commitment
  readonly childrenRoot: Hex
  readonly levels: readonly Level[]
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
  /** The chain has no block at this number: `chain`, itself or an ancestor, was left out (`empty`), or signed wrongly. */
  readonly passed?: { readonly number: number; readonly chain: Hex; readonly why: 'empty' | 'void' }
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
  for (const block of Archive.replay(rows, ledger, { gaps: params.path.length > 1, end: bad?.number })) {
    ledger = block.after
    visit(block)
  }
  const l1 = Archive.storedL1(rows)
  const passed = new Set(Archive.passedNumbers(rows))
  const { since, commits: all } = commitmentsOf(params.path, l1)
  const reached = bad ? [] : passed
  ledger = { ...ledger, number: Math.max(ledger.number, (since ?? 0) + 1, ...[...reached].map((number) => number + 1)) }
  const lacks = ({ number }: Commitment) =>
    number >= ledger.number && !passed.has(number) && Archive.storedBlock(rows, number) === undefined
  const commits = all.filter(lacks)
  const view = viewFrom<SeenEvent>(params.depth, bookmark)
  const missing = rows.get('follower', 'missing') as number | undefined
  const nothing = { asked: undefined, missing, goal: undefined }
  const registered = since !== undefined
  return { params, view, l1: Archive.between(l1, ledger.asOf), commits, ledger, registered, bad, ...nothing }
}

interface Found {
  /** The root's last number when the chain was registered; undefined before it is. */
  readonly since: number | undefined
  readonly commits: readonly Commitment[]
}

/** The root's commitments that may hold a block of the chain: a deeper one's only from its registration on. */
function commitmentsOf(
  path: readonly Chain[],
  blocks: readonly L1Block<SeenEvent>[],
  registered = path.length === 1,
): Found {
  const id = endsOf(path).id
  const commits: Commitment[] = []
  let since: number | undefined = registered ? 0 : undefined
  for (const event of blocks.flatMap((block) => block.events)) {
    if (event.name === 'ChainRegistered' && event.chain === id) since = Math.max(since ?? 0, event.since)
    if (event.name !== 'Committed' || since === undefined) continue
    const { number, header: head, time, asOf } = event
    commits.push({ number, header: head, time, asOf })
  }
  return { since, commits }
}

/** One input of a follower. */
export function progress(follower: Follower, input: FollowerInput): Progress {
  switch (input.kind) {
    case 'l1':
      return ask(onL1(follower, input.input))
    case 'served':
      return onServed(follower, input)
    case 'opened':
      return onOpened(follower, input.number, input.openings)
    case 'missing':
      return input.number === follower.asked?.number ? miss(follower, unserved(follower)) : still(follower)
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
function miss(follower: Follower, code: 'WithheldBlock' | 'UnopenedSlot'): Progress {
  const { asked, missing = follower.view.time, params, commits } = follower
  const rows = follower.missing === undefined ? [missingRow(missing)] : []
  const made = { ...still({ ...follower, asked: undefined, missing }), rows }
  const [oldest, ...rest] = commits
  if (follower.bad && oldest) return still({ ...follower, asked: undefined, commits: [...rest, oldest] })
  const limit = code === 'UnopenedSlot' ? (params.alarm ?? params.patience) : params.patience
  if (follower.bad || !oldest || !asked || asked.time <= missing + limit) return made
  return spoil(made, { code, number: oldest.number, why: WHY[code] })
}

const WHY = {
  WithheldBlock: 'nobody served the block',
  UnopenedSlot: "nobody opened its slot in the ancestors' blocks",
} as const

/** What it is called if nothing at all is served. */
function unserved({ params }: Follower): 'WithheldBlock' | 'UnopenedSlot' {
  return params.path.length > 1 ? 'UnopenedSlot' : 'WithheldBlock'
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
  const { path } = follower.params
  const kept = Archive.concerning(path, fresh)
  const { since, commits } = commitmentsOf(path, kept, follower.registered)
  const number = Math.max(follower.ledger.number, (since ?? 0) + 1)
  const ledger = number === follower.ledger.number ? follower.ledger : { ...follower.ledger, number }
  const registered = since !== undefined
  const all = [...follower.commits, ...commits]
  const next = { ...follower, view, l1: [...follower.l1, ...kept], commits: all, ledger, registered }
  return { follower: next, rows: Archive.l1Rows(path, fresh, view), fresh: kept }
}

function spoil(made: Progress, bad: Bad): Progress {
  const row: Row = { table: 'follower', key: 'bad', value: bad as unknown as Plain }
  return { ...made, follower: { ...made.follower, bad }, rows: [...made.rows, row], bad }
}

const NOT_ASKED = { asked: undefined, missing: undefined }

/** Openings without a block: they may show that there is none, and else that somebody withholds it. */
function onOpened(follower: Follower, number: number, openings: readonly Opening[]): Progress {
  const [commitment] = follower.commits
  if (commitment?.number !== number) return still(follower)
  const { court, path } = follower.params
  const shown = shownBy(court, path, commitment, openings)
  if (shown.kind === 'absent') return pass(follower, shown, openings)
  return miss(follower, shown.kind === 'anchored' ? 'WithheldBlock' : 'UnopenedSlot')
}

/** A number at which the chain has no block, and never will. */
function pass(follower: Follower, shown: Shown & { kind: 'absent' }, openings: readonly Opening[]): Progress {
  const [commitment, ...commits] = follower.commits
  const { number } = commitment!
  const ledger = follower.bad ? follower.ledger : { ...follower.ledger, number: number + 1 }
  const rows = [...found(follower), Archive.passedRow(number, openings)]
  const { chain, why } = shown
  return ask({
    follower: { ...follower, commits, ledger, ...NOT_ASKED },
    rows,
    fresh: [],
    passed: { number, chain, why },
  })
}

function found(follower: Follower): readonly Row[] {
  return follower.missing === undefined ? [] : [missingRow(undefined)]
}

/**
 * A block that is not what L1 anchored was not served at all; one that is, is executed, and bad if that fails. What comes
 * after a bad one is kept as it is.
 */
function onServed(follower: Follower, served: Served): Progress {
  const [commitment, ...commits] = follower.commits
  const { number, transactions, children = [], openings = [] } = served
  if (commitment?.number !== number) return still(follower)
  const { court, path } = follower.params
  const shown = shownBy(court, path, commitment, openings)
  if (shown.kind === 'absent') return pass(follower, shown, openings)
  if (shown.kind === 'unopened') return miss(follower, 'UnopenedSlot')
  const hashes = transactions.map(({ transaction }, i) => served.known?.[i]?.hash ?? txHash(court, transaction))
  const tree = txTree(hashes)
  const childrenRoot = rootOfChildren(children)
  if (!isAscending(children) || header(Merkle.rootOf(tree), childrenRoot) !== shown.header)
    return miss(follower, 'WithheldBlock')
  const seen = { commitment, transactions, hashes, tree, childrenRoot, levels: shown.levels }
  const rows = [...found(follower), ...Archive.blockRows(recordOf(commitment, shown, served), transactions)]
  const next = { ...follower, commits, ...NOT_ASKED }
  if (follower.bad) return ask({ follower: next, rows, fresh: [], seen })
  try {
    const ledger = execute(follower, commitment, transactions, (i) => ({ ...served.known?.[i], hash: hashes[i]! }))
    const l1 = Archive.between(follower.l1, ledger.asOf)
    return ask({ follower: { ...next, ledger, l1 }, rows, fresh: [], applied: seen })
  } catch (why) {
    if (!(why instanceof Refusal)) throw why
    const worst = GARBLED.has(why.code) ? faultOf(follower, commitment, transactions, hashes) : why
    if (!worst) return miss(follower, 'WithheldBlock')
    return ask(spoil({ follower: next, rows, fresh: [], seen }, { code: 'InvalidBlock', number, why: worst.message }))
  }
}

function isAscending(children: readonly Child[]): boolean {
  return children.every(({ slot }, i) => slot <= 255 && slot > (children[i - 1]?.slot ?? -1))
}

function recordOf(
  { number, time, asOf }: Commitment,
  { header: head, levels }: Shown & { kind: 'anchored' },
  { transactions, children = [] }: Served,
): Archive.BlockRecord {
  const base = { number, time, asOf, header: head, count: transactions.length }
  const deep = levels.length === 0 ? base : { ...base, levels }
  return children.length === 0 ? deep : { ...deep, children }
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
    execute(at, commitment, bare, (i) => ({ hash: hashes[i]!, authorised: true }))
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
  known: (index: number) => Known,
): Ledger {
  const { number, asOf } = commitment
  require(number === at.ledger.number, 'WrongNumber', number, at.ledger.number)
  const before = observe(at.ledger, at.l1, asOf)
  return close(transactions.reduce((now, signed, i) => spend(now, signed, known(i)), before))
}

/** The last number that is finally committed. */
export function lastNumberOf({ commits, ledger }: Follower): number {
  return commits.reduce((last, { number }) => Math.max(last, number), ledger.number - 1)
}

/** Whether the follower has executed every block that was committed up to the L1 time `time`. */
export function isCaughtUp(follower: Follower, time: number): boolean {
  return follower.commits.every((commitment) => commitment.time > time)
}
