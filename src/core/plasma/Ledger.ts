import { concat, ETHER, type Hex, ZERO } from '../base/Bytes.ts'
import { emptyMap, get, type HashMap, remove, set } from '../base/HashMap.ts'
import { type Domain, recover } from '../base/Signature.ts'
import { type L1Block, Refusal, require } from '../base/Step.ts'
import { type LockTerms, lockOf } from './LockTerms.ts'
import { claimOn, endOf, idsPaid, noExits, observeExit, PAID_OUT, type RunningExits } from './Running.ts'
import type { SeenEvent } from './Seen.ts'
import { type Bench, NOBODY, payeeUnder, requireAuthorisedUnder, termsOf } from './Standing.ts'
import { MAX_INPUTS, MAX_OUTPUTS, type Output, outputId, type Transaction, txHash } from './Transaction.ts'

/**
 * A transaction as it travels and is kept: with its payee's signature, '0x' if the payee approved it on L1, or both
 * sides' words (128 bytes, see Spend) if its only input has a lock that nobody has decided.
 */
export interface Signed {
  readonly transaction: Transaction
  readonly authorisation: Hex
  /** The terms of its locked inputs, in the order of the inputs; absent if none is locked. */
  readonly terms?: readonly LockTerms[]
}

/** An unspent output and where it came from. */
export interface Coin {
  readonly output: Output
  /** Number of its block, index of its transaction, position in it; number 0 for a deposit. */
  readonly number: number
  readonly index: number
  readonly position: number
}

/**
 * What may be spent on one chain while the block `number` is built or checked, which sees L1 as of `asOf` (seconds).
 * A value: every change makes a new ledger, the old one stays good.
 */
export interface Ledger {
  readonly court: Domain
  readonly chain: Hex
  readonly number: number
  readonly asOf: number
  /** Index of the block's next transaction. */
  readonly index: number
  readonly coins: HashMap<Coin>
  /** The ids of each owner's coins. */
  readonly owners: HashMap<HashMap<true>>
  /** txHash ‖ owner of what was approved on L1. */
  readonly approvals: HashMap<true>
  /** The chain's exits as of `asOf`: nobody may spend what they have a claim on. */
  readonly running: RunningExits
  /** What the block's transactions left over, per asset, less what fee transactions took. */
  readonly fees: HashMap<bigint>
  /** Hashes of the block's fee transactions. */
  readonly closing: readonly Hex[]
}

const LIMIT = 2n ** 256n

/** The ledger of a chain before its first block, whose number is `since` + 1. */
export function emptyLedger(court: Domain, chain: Hex, since: number): Ledger {
  const [coins, owners, approvals] = [emptyMap<Coin>(), emptyMap<HashMap<true>>(), emptyMap<true>()]
  const l1 = { asOf: 0, approvals, running: noExits() }
  return { court, chain, number: since + 1, index: 0, coins, owners, ...l1, fees: noFees, closing: [] }
}

const noFees = emptyMap<bigint>()

/** The ledger that sees L1 as of `asOf`: everything in blocks later than it saw so far and up to `asOf`, in order. */
export function observe(ledger: Ledger, blocks: readonly L1Block<SeenEvent>[], asOf: number): Ledger {
  let now = ledger
  for (const { time, events } of blocks) {
    if (time > ledger.asOf && time <= asOf) for (const event of events) now = observeEvent(now, event, time)
  }
  return { ...now, asOf }
}

function observeEvent(ledger: Ledger, event: SeenEvent, time: number): Ledger {
  switch (event.name) {
    case 'Deposited': {
      if (event.chain !== ledger.chain) return ledger
      const { id, owner, asset, value } = event
      if (asset !== ETHER && !get(ledger.running.kinds, asset))
        throw new Error(`nobody told what kind of token ${asset} is`)
      return add(ledger, id, { output: { owner, asset, value, lock: ZERO }, ...DEPOSIT })
    }
    case 'Approved':
      return { ...ledger, approvals: set(ledger.approvals, concat(event.txHash, event.owner), true) }
    default:
      return observeClaims(ledger, event, time)
  }
}

/** What is paid is nobody's any more, and if the transaction that makes it is not in a block yet, never will be. */
function observeClaims(ledger: Ledger, event: SeenEvent, time: number): Ledger {
  const paid = idsPaid(ledger.running, event)
  return paid.reduce(drop, { ...ledger, running: observeExit(ledger.running, event, time) })
}

const DEPOSIT = { number: 0, index: 0, position: 0 }

function add(ledger: Ledger, id: Hex, coin: Coin): Ledger {
  const { owner } = coin.output
  const owned = set(get(ledger.owners, owner) ?? emptyMap<true>(), id, true)
  return { ...ledger, coins: set(ledger.coins, id, coin), owners: set(ledger.owners, owner, owned) }
}

function drop(ledger: Ledger, id: Hex): Ledger {
  const coin = get(ledger.coins, id)
  if (!coin) return ledger
  const { owner } = coin.output
  const owned = remove(get(ledger.owners, owner) ?? emptyMap<true>(), id)
  const owners = owned.size === 0 ? remove(ledger.owners, owner) : set(ledger.owners, owner, owned)
  return { ...ledger, coins: remove(ledger.coins, id), owners }
}

/**
 * What is known of a transaction before a ledger takes it: its hash and the ids of its outputs; that it was authorised
 * when it was taken before; or who made its signature, the zero address if nobody did. Whether that is the payee is the
 * ledger's to say.
 */
export interface Known {
  readonly hash?: Hex
  readonly ids?: readonly Hex[]
  readonly authorised?: boolean
  readonly signer?: Hex
}

/** The ledger after the block's next transaction. Throws the Refusal that makes it invalid in this block. */
export function spend(ledger: Ledger, signed: Signed, known: Known = {}): Ledger {
  const tx = signed.transaction
  const hash = known.hash ?? txHash(ledger.court, tx)
  checkShape(ledger, tx)
  if (tx.inputs.length === 0) return collect(ledger, signed, hash)
  require(ledger.closing.length === 0, 'BlockClosed', ledger.number)
  const coins = tx.inputs.map((id) => spendable(ledger, id, hash))
  const locks = locksOf(coins, signed)
  const payee = payeeOf(ledger, coins, locks)
  const fees = conserve(ledger, coins, tx.outputs)
  if (!known.authorised) checkWord(ledger, coins, locks, signed, hash, payee, known.signer)
  let next: Ledger = { ...ledger, fees }
  for (const id of tx.inputs) next = drop(next, id)
  return create(next, tx.outputs, hash, known.ids)
}

function create(ledger: Ledger, outputs: readonly Output[], hash: Hex, ids: readonly Hex[] = []): Ledger {
  const { number, index } = ledger
  let next = ledger
  for (let position = 0; position < outputs.length; position++) {
    const id = ids[position] ?? outputId(hash, position)
    if (endOf(ledger.running, id) === PAID_OUT) continue
    next = add(next, id, { output: outputs[position]!, number, index, position })
  }
  return { ...next, index: index + 1 }
}

function checkShape(ledger: Ledger, tx: Transaction): void {
  require(tx.chain === ledger.chain, 'WrongChain', tx.chain, ledger.chain)
  require(tx.lastBlock >= ledger.number, 'Expired', tx.lastBlock, ledger.number)
  require(tx.inputs.length <= MAX_INPUTS, 'TooManyInputs', tx.inputs.length, MAX_INPUTS)
  const count = tx.outputs.length
  require(count >= 1 && count <= MAX_OUTPUTS, 'WrongOutputCount', count, MAX_OUTPUTS)
  for (const { owner, asset, value } of tx.outputs) {
    require(owner !== NOBODY, 'ZeroOwner')
    require(value > 0n || isUnique(ledger, asset), 'ZeroValue')
    require(value < LIMIT, 'ValueTooLarge', value)
  }
  tx.inputs.forEach((id, i) => {
    require(tx.inputs.indexOf(id) === i, 'RepeatedInput', id)
  })
}

function spendable(ledger: Ledger, id: Hex, hash: Hex): Coin {
  const coin = get(ledger.coins, id)
  if (!coin) throw new Refusal('UnknownInput', id)
  require(coin.number < ledger.number, 'TooYoung', coin.number, ledger.number)
  require(claimOn(ledger.running, id, hash) === undefined, 'FrozenInput', id)
  return coin
}

/** The terms of each coin's lock; none where it is plain. All that were given have to be of use. */
function locksOf(coins: readonly Coin[], { terms = NO_TERMS }: Signed): readonly (LockTerms | undefined)[] {
  if (terms.length === 0 && coins.every(({ output }) => output.lock === ZERO)) return NO_TERMS
  let next = 0
  const locks = coins.map(({ output: { lock } }) => {
    if (lock === ZERO) return undefined
    const one = terms[next++]
    const have = one ? lockOf(one) : ZERO
    require(have === lock, 'WrongLock', have, lock)
    return one
  })
  const more = terms[next]
  if (more) throw new Refusal('WrongLock', lockOf(more), ZERO)
  return locks
}

const NO_TERMS: readonly LockTerms[] = []

/** The one payee of all coins; nobody if there is one coin only and its lock is undecided. */
function payeeOf(ledger: Ledger, coins: readonly Coin[], locks: readonly (LockTerms | undefined)[]): Hex {
  let first: Hex | undefined
  for (let i = 0; i < coins.length; i++) {
    const { owner, lock } = coins[i]!.output
    const terms = locks[i]
    const payee = terms ? payeeUnder(benchOf(ledger), owner, terms) : owner
    require(payee !== NOBODY || coins.length === 1, 'Undecided', lock)
    first ??= payee
    require(payee === first, 'MixedOwners', payee, first)
  }
  return first!
}

/** What a ledger has seen of approvals and preimages, as a court asks for it: its time is asOf. */
function benchOf({ approvals, running, asOf }: Ledger): Bench {
  const has = (key: string) => {
    const [owner, hash] = key.split('/') as [Hex, Hex]
    return get(approvals, concat(hash, owner)) === true
  }
  return { state: { approved: { has } }, env: { time: asOf, ...revealedTo(running) } }
}

/** Whom a lock has decided for as of `time`, by what was revealed; the zero address before. */
export function payeeAt(running: RunningExits, time: number, owner: Hex, terms: LockTerms): Hex {
  return payeeUnder({ state: { approved: new Set() }, env: { time, ...revealedTo(running) } }, owner, terms)
}

function revealedTo({ revealed }: RunningExits): { readonly revealedAt: (hash: Hex) => number } {
  return { revealedAt: (hash) => get(revealed, hash) ?? 0 }
}

/** Whether a transaction of a block from number `number` on counts as a spend of a coin, wherever it may be valid. */
export function spends(ledger: Ledger, signed: Signed, hash: Hex, id: Hex, number: number): boolean {
  const { chain, lastBlock } = signed.transaction
  const coin = get(ledger.coins, id)
  if (!coin || chain !== ledger.chain || lastBlock < number) return false
  try {
    const { owner, lock } = coin.output
    const terms = lock === ZERO ? undefined : termsOf(lock, signed.terms ?? NO_TERMS)
    if (!terms) checkAuthorised(ledger, signed, hash, owner)
    else requireAuthorisedUnder(benchOf(ledger), terms, owner, signed.transaction, hash, signed.authorisation)
    return true
  } catch (why) {
    if (why instanceof Refusal) return false
    throw why
  }
}

/** The payee's word; of a single input with a lock that of its sides, too, if it is undecided. */
function checkWord(
  ledger: Ledger,
  coins: readonly Coin[],
  [lock]: readonly (LockTerms | undefined)[],
  signed: Signed,
  hash: Hex,
  payee: Hex,
  signer?: Hex,
): void {
  const { owner } = coins[0]!.output
  if (!lock || coins.length > 1) checkAuthorised(ledger, signed, hash, payee, signer)
  else requireAuthorisedUnder(benchOf(ledger), lock, owner, signed.transaction, hash, signed.authorisation)
}

function checkAuthorised(ledger: Ledger, { authorisation }: Signed, hash: Hex, payee: Hex, signer?: Hex): void {
  if (authorisation === '0x') {
    require(get(ledger.approvals, concat(hash, payee)) === true, 'NotApproved', payee, hash)
    return
  }
  const have = signer ?? recover(hash, authorisation) ?? NOBODY
  require(have === payee, 'WrongSigner', have, payee)
}

/** Whether an asset is an ERC-721, whose values are ids and not amounts. */
export function isUnique({ running }: Pick<Ledger, 'running'>, asset: Hex): boolean {
  return get(running.kinds, asset) === 'unique'
}

/** The fees after a transaction: of a fungible asset what it leaves over; of an ERC-721 each id goes out that came in. */
function conserve(ledger: Ledger, coins: readonly Coin[], outputs: readonly Output[]): HashMap<bigint> {
  const spent = coins.map((coin) => coin.output)
  let left = ledger.fees
  for (const asset of new Set([...spent, ...outputs].map((output) => output.asset))) {
    if (isUnique(ledger, asset)) {
      conserveIds(spent, outputs, asset)
      continue
    }
    const [have, need] = [total(spent, asset), total(outputs, asset)]
    require(have >= need, 'Unbalanced', asset, have, need)
    if (have > need) left = set(left, asset, (get(left, asset) ?? 0n) + have - need)
  }
  return left
}

function conserveIds(spent: readonly Output[], outputs: readonly Output[], asset: Hex): void {
  const count = (of: readonly Output[], id: bigint) => {
    return BigInt(of.filter((output) => output.asset === asset && output.value === id).length)
  }
  for (const one of [...spent, ...outputs]) {
    if (one.asset !== asset) continue
    const [have, need] = [count(spent, one.value), count(outputs, one.value)]
    require(have === 1n && need === 1n, 'Unbalanced', asset, have, need)
  }
}

function total(outputs: readonly Output[], asset: Hex): bigint {
  return outputs.reduce((sum, output) => (output.asset === asset ? sum + output.value : sum), 0n)
}

function collect(ledger: Ledger, { transaction: tx, authorisation }: Signed, hash: Hex): Ledger {
  require(tx.lastBlock === ledger.number, 'WrongLastBlock', tx.lastBlock, ledger.number)
  require(authorisation === '0x', 'UnwantedSignature')
  require(!ledger.closing.includes(hash), 'RepeatedTransaction', hash)
  let fees = ledger.fees
  for (const { asset, value } of tx.outputs) {
    require(!isUnique(ledger, asset), 'NotFungible', asset)
    const have = get(fees, asset) ?? 0n
    require(value <= have, 'FeesExceeded', asset, have, value)
    fees = set(fees, asset, have - value)
  }
  return create({ ...ledger, fees, closing: [...ledger.closing, hash] }, tx.outputs, hash)
}

/** The ledger for the block after this one. Fees that nobody took are gone for ever. */
export function close(ledger: Ledger): Ledger {
  return { ...ledger, number: ledger.number + 1, index: 0, fees: noFees, closing: [] }
}

/** The ids and coins of an owner, in the order of the ids. */
export function idsOf(ledger: Ledger, owner: Hex): HashMap<true> {
  return get(ledger.owners, owner) ?? emptyMap()
}
