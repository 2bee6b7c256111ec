// What alice and bob do when they look: they watch, answer, want their positions, and leave when the chain is bad.
import { type Hex, ZERO } from '../../../src/core/base/Bytes.ts'
import type { PlasmaCall } from '../../../src/core/plasma/Call.ts'
import { chainId } from '../../../src/core/plasma/Chain.ts'
import { consumedBy, OWN_PERMIT, PAID, UNKNOWN } from '../../../src/core/plasma/Exit.ts'
import { membership } from '../../../src/core/plasma/Group.ts'
import { bitsOf, outputAt, positionsOf } from '../../../src/core/plasma/InFlightExit.ts'
import type { LockTerms } from '../../../src/core/plasma/LockTerms.ts'
import type { Spend } from '../../../src/core/plasma/Spend.ts'
import { type Output, outputId } from '../../../src/core/plasma/Transaction.ts'
import {
  ADDRESS,
  chainIn,
  HALF,
  HONEST,
  proofOf,
  type Scene,
  type Sealed,
  sourceOf,
  type Tx,
  type Who,
} from './cast.ts'
import { type Coins, coinsBefore, homeBlocks, homeTxs, payeeOf } from './ledger.ts'
import {
  ask,
  type Game,
  heads,
  processed,
  type Realm,
  type RunningInFlight,
  runningInFlight,
  waitingExits,
} from './realm.ts'

const BOTH_HALVES: Hex = `0x${'00'.repeat(128)}`
/** Longer than any world. */
export const NEVER = 2 ** 39

/** The honest look: everything that has to be answered is, and what is due is paid. */
export function looked(game: Game, before: Realm): Realm {
  let realm: Realm = { ...before, looked: before.time, bad: badOf(game, before) }
  realm = watched(game, realm)
  realm = wanted(game, realm)
  if (realm.bad !== undefined || realm.leaving) for (const who of HONEST) realm = left(game, realm, who)
  return paidOut(game, realm)
}

/** The lowest number of the home chain that is not opened or not valid; what was once found stays. */
export function badOf(game: Game, realm: Realm): number | undefined {
  const found = homeBlocks(game, realm).find(({ open, valid }) => !open || !valid)?.number
  return found === undefined ? realm.bad : Math.min(found, realm.bad ?? found)
}

/** Transactions that the honest know: theirs, those in opened blocks, those that layer 1 has shown. */
export function known({ scene }: Game, realm: Realm): readonly Tx[] {
  const opened = realm.blocks.filter(({ open }) => open)
  return [...scene.txs.values()].filter(
    ({ name }) =>
      realm.signed.has(name) || realm.shown.has(name) || opened.some((one) => chainIn(scene, one, name) !== undefined),
  )
}

/** The ways to show that a transaction spends a coin: in a block (the oldest first), then live. */
export function spendsOf(
  scene: Scene,
  blocks: readonly Sealed[],
  tx: Tx,
  id: Hex,
): readonly (Spend & { path: Scene['paths'][string] })[] {
  const input = tx.signed.inputs.indexOf(id)
  const { owner, lock } = scene.coins.get(id)!.output
  const refund = scene.terms.get(lock)?.refund
  const both = lock !== ZERO && [owner, refund].every((side) => tx.by.some((who) => ADDRESS[who] === side))
  const spend = { tx: tx.signed, input, authorisation: both ? BOTH_HALVES : ('0x' as Hex) }
  const found = blocks.flatMap((block) => {
    const chain = chainIn(scene, block, tx.name)
    return chain ? [{ ...spend, inclusion: [proofOf(scene, block, chain, tx.name)], path: scene.paths[chain]! }] : []
  })
  const own = Object.values(scene.paths).find((path) => chainId(path.at(-1)!) === tx.signed.chain)!
  return [...found, { ...spend, inclusion: [], path: own }]
}

/** The terms that the locks of an exit's positions have. */
export function termsFor(scene: Scene, outputs: readonly Output[]): readonly LockTerms[] {
  return [...new Set(outputs.map(({ lock }) => lock))].flatMap((lock) => scene.terms.get(lock) ?? [])
}

/** The outputs of an in-flight exit. */
export function positioned(scene: Scene, { inFlight }: RunningInFlight): readonly LockTerms[] {
  return termsFor(scene, [...inFlight.spent, ...inFlight.tx.outputs])
}

const WATCHER = ADDRESS.bob

function watched(game: Game, before: Realm): Realm {
  let realm = before
  const txs = known(game, realm)
  const open = realm.blocks.filter((block) => block.open)
  for (const { exit, lane, index, members } of waitingExits(realm)) {
    for (const { id } of members) {
      for (const tx of txs) {
        if (tx.signed.inputs.includes(id)) realm = challenged(game, realm, open, { exit, lane, index, members }, tx, id)
      }
    }
  }
  for (const running of runningInFlight(realm)) realm = disputed(game, realm, open, txs, running)
  return realm
}

function challenged(
  game: Game,
  realm: Realm,
  open: readonly Sealed[],
  { exit, lane, index, members }: ReturnType<typeof waitingExits>[number],
  tx: Tx,
  id: Hex,
): Realm {
  for (const { path, ...spend } of spendsOf(game.scene, open, tx, id)) {
    const place = { path, exit, lane, index, spend }
    const terms = game.scene.terms.get(exit.lock)
    const proof = membership(
      members,
      members.findIndex((member) => member.id === id),
    )
    const call: PlasmaCall = terms
      ? { verb: 'challengeLocked', ...place, terms }
      : members.length > 1
        ? { verb: 'challengeGroup', ...place, membership: proof }
        : { verb: 'challengeExit', ...place }
    const next = ask(game, realm, WATCHER, call, 0n)
    if (next) return next
  }
  return realm
}

function disputed(
  game: Game,
  before: Realm,
  open: readonly Sealed[],
  txs: readonly Tx[],
  running: RunningInFlight,
): Realm {
  const { scene } = game
  const { inFlight, hash } = running
  let realm = before
  const terms = positioned(scene, running)
  for (const position of bitsOf(positionsOf(inFlight))) {
    const id = position < 4 ? inFlight.tx.inputs[position]! : outputId(hash, position - 4)
    for (const tx of txs) {
      if (tx.hash === hash || !tx.signed.inputs.includes(id)) continue
      for (const { path, ...spend } of spendsOf(scene, open, tx, id)) {
        const verb = position < 4 ? 'compete' : 'challengeOutput'
        realm = ask(game, realm, WATCHER, { verb, path, inFlight, position, spend, terms }, 0n) ?? realm
      }
    }
  }
  const own = scene.byHash.get(hash)!
  for (const block of open) {
    const chain = chainIn(scene, block, own.name)
    if (!chain) continue
    const inclusion = proofOf(scene, block, chain, own.name)
    realm = ask(game, realm, WATCHER, { verb: 'respond', path: scene.paths[chain]!, inFlight, inclusion }, 0n) ?? realm
  }
  return realm
}

/** Both sides of what they have in running in-flight exits, unless they have spent it elsewhere. */
function wanted(game: Game, before: Realm): Realm {
  let realm = before
  for (const running of runningInFlight(realm)) {
    const { inFlight, hash } = running
    if (realm.time >= inFlight.start + HALF) continue
    for (const who of HONEST) {
      for (const position of bitsOf(positionsOf(inFlight))) {
        const id = position < 4 ? inFlight.tx.inputs[position]! : outputId(hash, position - 4)
        const spent = [...realm.signed].some((name) => {
          const { signed, hash: other } = game.scene.txs.get(name)!
          return other !== hash && signed.inputs.includes(id)
        })
        const own = isParty(game.scene, realm, outputAt(inFlight, position)!, who)
        // The start took its starter's.
        if (inFlight.starter === ADDRESS[who] || !own || spent) continue
        const call = { verb: 'piggyback', inFlight, positions: 1 << position, terms: positioned(game.scene, running) }
        realm = ask(game, realm, ADDRESS[who], call as never) ?? realm
      }
    }
  }
  return realm
}

/** Whether somebody may speak for an output now. */
export function isParty(scene: Scene, realm: Realm, output: Output, who: Who): boolean {
  const payee = payeeOf(scene, realm, output, realm.time)
  if (payee !== undefined) return payee === ADDRESS[who]
  return output.owner === ADDRESS[who] || scene.terms.get(output.lock)!.refund === ADDRESS[who]
}

/** The number before which everything counts. */
export function horizon(realm: Realm): number {
  return realm.bad ?? NEVER
}

/** What somebody has signed that no good block holds, and that may still come to be. */
export function pendingOf(game: Game, realm: Realm, who: Who): readonly Tx[] {
  const good = homeBlocks(game, realm).filter(({ number }) => number < horizon(realm))
  return [...realm.signed].flatMap((name) => {
    const tx = game.scene.txs.get(name)!
    if (!tx.by.includes(who)) return []
    const included = good.some((block) => homeTxs(game, block).includes(tx))
    return included || isDead(game, realm, tx) ? [] : [tx]
  })
}

/** Its inputs may be signed again. */
export function isDead(game: Game, realm: Realm, tx: Tx): boolean {
  const blocks = homeBlocks(game, realm)
  const { lastBlock } = tx.signed
  if ((blocks.at(-1)?.number ?? 0) < lastBlock || (realm.bad ?? NEVER) <= lastBlock) return false
  const clean = blocks.every(
    (block) => block.number > lastBlock || (block.open && block.valid && !homeTxs(game, block).includes(tx)),
  )
  const ended = blocks.find(({ number }) => number === lastBlock)!.time
  const tried = realm.log.some(
    ({ time, event }) => event.name === 'InFlightStarted' && event.txHash === tx.hash && time < ended,
  )
  return clean && !tried
}

/** The coins that somebody has, and has not signed away. */
export function ownCoins(game: Game, realm: Realm, who: Who): readonly Hex[] {
  const coins: Coins = coinsBefore(game, realm, horizon(realm))
  const away = new Set(pendingOf(game, realm, who).flatMap(({ signed }) => signed.inputs))
  return [...coins.keys()].filter((id) => {
    const coin = game.scene.coins.get(id)
    return coin !== undefined && !away.has(id) && isParty(game.scene, realm, coin.output, who)
  })
}

/** Starts the exits of everything that somebody has. */
function left(game: Game, before: Realm, who: Who): Realm {
  let realm = before
  for (const id of ownCoins(game, realm, who)) realm = exited(game, realm, id, ADDRESS[who]) ?? realm
  for (const tx of pendingOf(game, realm, who)) {
    const status = tx.signed.inputs.map((id) => realm.court.status.get(id) ?? UNKNOWN)
    const own = tx.signed.outputs.some(
      (output, i) =>
        output.owner === ADDRESS[who] && (realm.court.status.get(outputId(tx.hash, i)) ?? UNKNOWN) !== PAID,
    )
    const canonical = status.every((one) => one === consumedBy(tx.hash))
    if (canonical ? own : status.some((one) => one < PAID)) {
      realm = startedInFlight(game, realm, realm.blocks, tx, ADDRESS[who]) ?? realm
    }
  }
  return realm
}

/** A standard exit of a coin, unless one runs or it has been finalised. */
function exited(game: Game, realm: Realm, id: Hex, sender: Hex): Realm | undefined {
  if (waitingExits(realm).some(({ members, exit }) => exit.count === 1 && members[0]!.id === id)) return undefined
  if ((realm.court.status.get(id) ?? UNKNOWN) >= PAID) return undefined
  return exitStarted(
    game,
    realm,
    homeBlocks(game, realm).filter(({ open }) => open),
    id,
    sender,
  )
}

/** Starts a standard exit with a proof from these blocks. */
export function exitStarted(
  game: Game,
  realm: Realm,
  blocks: readonly Sealed[],
  id: Hex,
  sender: Hex,
): Realm | undefined {
  const { scene } = game
  const { deposited, tx, position: output, output: made } = scene.coins.get(id)!
  if (deposited) return ask(game, realm, sender, { verb: 'startDepositExit', deposited, permit: OWN_PERMIT })
  const block = blocks.find((one) => chainIn(scene, one, tx!) !== undefined)
  if (!block) return undefined
  const chain = chainIn(scene, block, tx!)!
  const transaction = scene.txs.get(tx!)!.signed
  const inclusion = proofOf(scene, block, chain, tx!)
  const start = { path: scene.paths[chain]!, transaction, output, inclusion, permit: OWN_PERMIT }
  const terms = scene.terms.get(made.lock)
  if (terms) return ask(game, realm, sender, { verb: 'startLockedExit', ...start, terms })
  return ask(game, realm, sender, { verb: 'startExit', ...start })
}

/** Starts an in-flight exit with proofs of its inputs from these blocks; with fewer bonds where less is left of it. */
export function startedInFlight(
  game: Game,
  realm: Realm,
  blocks: readonly Sealed[],
  tx: Tx,
  sender: Hex,
  dear = 1n,
): Realm | undefined {
  const { scene } = game
  const sources = tx.signed.inputs.flatMap((id) => sourceOf(scene, id, blocks) ?? [])
  if (sources.length < tx.signed.inputs.length) return undefined
  const owned = tx.signed.inputs.map((id) => scene.coins.get(id)!.output)
  const terms = termsFor(scene, [...owned, ...tx.signed.outputs])
  const authorisation = spendsOf(scene, [], tx, tx.signed.inputs[0]!)[0]!.authorisation
  const path = Object.values(scene.paths).find((each) => chainId(each.at(-1)!) === tx.signed.chain)!
  const call = { verb: 'startInFlight', path, transaction: tx.signed, authorisation, sources, terms } as const
  for (let bonds = 1n + BigInt(owned.length + tx.signed.outputs.length); bonds > 0n; bonds--) {
    const next = ask(game, realm, sender, call, 6n * dear * bonds)
    if (next?.log.some(({ event }) => isFairStart(event, tx, bonds, dear))) return next
  }
  return undefined
}

function isFairStart(event: Realm['log'][number]['event'], tx: Tx, bonds: bigint, dear: bigint): boolean {
  if (event.name !== 'InFlightStarted' || event.txHash !== tx.hash) return false
  return bonds > 0n && event.inFlight.bond === 6n * dear
}

/** Everything that is due is paid. */
function paidOut(game: Game, before: Realm): Realm {
  let realm = before
  for (const [key, due] of heads(realm)) {
    if (due <= realm.time) realm = processed(game, realm, key, WATCHER) ?? realm
  }
  return realm
}
