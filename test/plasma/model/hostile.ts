// Everything that mallory and the operators can do next, and when the honest sign or pay in.
import type { Hex } from '../../../src/core/base/Bytes.ts'
import type { PlasmaCall } from '../../../src/core/plasma/Call.ts'
import { pair } from '../../../src/core/plasma/Draft.ts'
import { OWN_PERMIT, PAID } from '../../../src/core/plasma/Exit.ts'
import { bitsOf, outputAt, positionsOf } from '../../../src/core/plasma/InFlightExit.ts'
import { depositId, outputId } from '../../../src/core/plasma/Transaction.ts'
import { ADDRESS, chainIn, HONEST, HOSTILE, headerOf, OPERATORS, proofOf, type Scene, type Tx } from './cast.ts'
import { badOf, exitStarted, isDead, isParty, ownCoins, positioned, spendsOf, startedInFlight } from './honest.ts'
import { isValid } from './ledger.ts'
import {
  ask,
  deposit,
  type Game,
  heads,
  processed,
  type Realm,
  registerChild,
  runningInFlight,
  waitingExits,
} from './realm.ts'

/** A move's name, and the world after it. */
export type Move = readonly [by: string, realm: Realm]

const MALLORY = ADDRESS.mallory
const STRANGER: Hex = `0x${'99'.repeat(20)}`

/** A second later: all that can be done in it by those who keep to no rule, and what the honest may be asked for. */
export function* movesOf(game: Game, before: Realm): Generator<Move> {
  const realm = { ...before, time: before.time + 1 }
  const kinds = {
    ...{ commit: commits, open: opens, sign: signs, deposit: deposits, register: registers, reveal: reveals },
    ...{ exit: exits, group: groups, inflight: inFlights, stranger: strangers, piggyback: piggybacks },
    ...{ compete: competes, challenge: challenges, respond: responds, cancel: cancels, process: processes },
    approve: approves,
  }
  const { verbs } = game.scene.script
  for (const [verb, moves] of Object.entries(kinds)) {
    if (verbs && !verbs.includes(verb)) continue
    for (const [by, next] of moves(game, realm)) if (next) yield [`${verb} ${by}`, next]
  }
}

type Moves = Iterable<readonly [by: string, realm: Realm | undefined]>

function* commits(game: Game, realm: Realm): Moves {
  const { scene } = game
  const { blocks, withholds, maxBlocks = 3, verbs, repeats } = scene.script
  for (const [content, { on = 'C', txs }] of blocks.entries()) {
    const last = realm.court.chains.get(scene.ids[on]!)!
    const used = Object.values(txs)
      .flat()
      .some((name) => realm.blocks.some((one) => chainIn(scene, one, name)))
    if ((used && !repeats) || last.number >= maxBlocks) continue
    const number = last.number + 1
    const oldest = Math.max(last.asOf, realm.time - realm.court.terms.margin)
    const views = verbs?.includes('stale') && oldest < realm.time - 1 ? [realm.time - 1, oldest] : [realm.time - 1]
    for (const asOf of views) {
      const header = headerOf(scene, on, { content, number, asOf })
      const call = { verb: 'commit', chain: scene.paths[on]![0]!, number, header, asOf } as const
      const next = ask(game, realm, OPERATORS[on]!, call, 0n)
      if (!next) continue
      for (const open of withholds ? [true, false] : [true]) {
        const valid = isValid(game, realm, { content, number, asOf })
        const block = { content, on, number, time: realm.time, asOf, open, valid }
        const what = Object.entries(txs).map(([chain, names]) => `${chain}[${names}]`)
        const how = `${open ? '' : ' withheld'}${asOf < realm.time - 1 ? ' stale' : ''}`
        yield [`${number} ${what}${how}`, { ...next, blocks: [...next.blocks, block] }]
      }
    }
  }
}

function* opens(_: Game, realm: Realm): Moves {
  for (const [i, block] of realm.blocks.entries()) {
    if (!block.open) yield [`${block.number}`, { ...realm, blocks: realm.blocks.with(i, { ...block, open: true }) }]
  }
}

/** The honest sign what they have, while all is opened and valid; again what they have signed only once that is dead. */
function* signs(game: Game, realm: Realm): Moves {
  if (badOf(game, realm) !== undefined) return
  for (const tx of game.scene.txs.values()) {
    const who = tx.by.find((one) => HONEST.includes(one))
    if (!who || realm.signed.has(tx.name)) continue
    const own = ownCoins(game, realm, who)
    const leaving = waitingExits(realm).flatMap(({ members }) => members.map(({ id }) => id))
    const free = tx.signed.inputs.every((id) => own.includes(id) && !leaving.includes(id) && isOpen(realm, id))
    const tried = [...realm.signed].map((name) => game.scene.txs.get(name)!)
    const last = realm.court.chains.get(game.scene.ids[game.scene.home === 'K' ? 'C' : game.scene.home]!)!.number
    const clash = tried.some(
      (one) => one.signed.inputs.some((id) => tx.signed.inputs.includes(id)) && !isDead(game, realm, one),
    )
    if (free && !clash && last < tx.signed.lastBlock) yield [tx.name, signedBy(realm, tx, who)]
  }
}

function isOpen({ court }: Realm, id: Hex): boolean {
  return (court.status.get(id) ?? 0n) < PAID
}

/** A signature is an approval that no event tells of. */
export function signedBy(realm: Realm, tx: Tx, who: (typeof tx.by)[number]): Realm {
  const approved = new Map(realm.court.approved).set(pair(ADDRESS[who], tx.hash), true)
  const signed = HONEST.includes(who) ? new Set([...realm.signed, tx.name]) : realm.signed
  return { ...realm, court: { ...realm.court, approved }, signed }
}

/** The honest pay in only where everything is opened. */
function* deposits(game: Game, realm: Realm): Moves {
  if (badOf(game, realm) !== undefined || !realm.court.chains.has(game.scene.ids[game.scene.home]!)) return
  for (const name of Object.keys(game.scene.script.deposits)) yield [name, deposit(game, realm, name)]
}

function* registers(game: Game, realm: Realm): Moves {
  const { script, ids } = game.scene
  if (script.late !== undefined && !realm.court.chains.has(ids.K!)) yield ['K', registerChild(game, realm)]
}

function* reveals(game: Game, realm: Realm): Moves {
  for (const { hash } of game.scene.terms.values()) {
    if (realm.revealed.has(hash)) continue
    yield ['a preimage', { ...realm, revealed: new Map(realm.revealed).set(hash, realm.time) }]
  }
}

function* exits(game: Game, realm: Realm): Moves {
  for (const { id, output, name } of game.scene.coins.values()) {
    for (const who of HOSTILE) {
      if (!isParty(game.scene, realm, output, who)) continue
      yield [name, exitStarted(game, realm, realm.blocks, id, ADDRESS[who])]
    }
  }
}

/** Mallory's deposits together, and the first of them as if it were two. */
function* groups(game: Game, realm: Realm): Moves {
  const own = [...game.scene.coins.values()].flatMap(({ deposited }) => (deposited?.owner === MALLORY ? deposited : []))
  const sorted = own.toSorted((a, b) => (depositId(a) < depositId(b) ? -1 : 1))
  const all = { 'of all': sorted, 'of one twice': sorted.slice(0, 1).flatMap((one) => [one, one]) }
  for (const [by, deposited] of Object.entries(all)) {
    const call = { verb: 'startDepositExits', deposited, permit: OWN_PERMIT } as const
    if (deposited.length > 1) yield [by, ask(game, realm, MALLORY, call)]
  }
}

function* inFlights(game: Game, realm: Realm): Moves {
  const { dear } = game.scene.script
  for (const tx of game.scene.txs.values()) {
    if (tx.signed.inputs.length === 0) continue
    for (const who of HOSTILE) {
      yield [`${tx.name} by ${who}`, startedInFlight(game, realm, realm.blocks, tx, ADDRESS[who])]
      if (!game.scene.script.repeats) continue
      const young = startedInFlight(game, realm, realm.blocks.toReversed(), tx, ADDRESS[who])
      yield [`${tx.name} by ${who}, as young as it can be`, young]
    }
    if (dear) yield [`${tx.name} dearly`, startedInFlight(game, realm, realm.blocks, tx, MALLORY, dear)]
  }
}

function* strangers(game: Game, realm: Realm): Moves {
  for (const tx of game.scene.txs.values()) yield [tx.name, startedInFlight(game, realm, realm.blocks, tx, STRANGER)]
}

function* piggybacks(game: Game, realm: Realm): Moves {
  for (const running of runningInFlight(realm)) {
    const { inFlight, hash } = running
    for (const position of bitsOf(positionsOf(inFlight))) {
      const call = { verb: 'piggyback', inFlight, positions: 1 << position, terms: positioned(game.scene, running) }
      for (const who of HOSTILE) {
        if (!isParty(game.scene, realm, outputAt(inFlight, position)!, who)) continue
        yield [`${position} of ${nameOf(game, hash)}`, ask(game, realm, ADDRESS[who], call as PlasmaCall)]
      }
    }
  }
}

function nameOf(game: Game, hash: Hex): string {
  return game.scene.byHash.get(hash)!.name
}

function* competes(game: Game, realm: Realm): Moves {
  const { scene } = game
  for (const running of runningInFlight(realm)) {
    const { inFlight, hash } = running
    const terms = positioned(scene, running)
    for (const position of bitsOf(positionsOf(inFlight))) {
      const id = position < 4 ? inFlight.tx.inputs[position]! : outputId(hash, position - 4)
      for (const tx of spenders(scene, id)) {
        for (const { path, ...spend } of spendsOf(scene, realm.blocks, tx, id)) {
          const verb = position < 4 ? 'compete' : 'challengeOutput'
          const what = `${nameOf(game, hash)} at ${position} by ${tx.name}${spend.inclusion.length ? ' shown' : ' live'}`
          yield [what, ask(game, realm, MALLORY, { verb, path, inFlight, position, spend, terms }, 0n)]
        }
      }
    }
  }
}

function spenders(scene: Scene, id: Hex): readonly Tx[] {
  return [...scene.txs.values()].filter(({ signed }) => signed.inputs.includes(id))
}

function* challenges(game: Game, realm: Realm): Moves {
  const { scene } = game
  for (const { exit, lane, index, members } of waitingExits(realm)) {
    if (members.length > 1) continue
    for (const tx of spenders(scene, exit.ids)) {
      for (const { path, ...spend } of spendsOf(scene, realm.blocks, tx, exit.ids)) {
        const place = { path, exit, lane, index, spend }
        const terms = scene.terms.get(exit.lock)
        const call: PlasmaCall = terms
          ? { verb: 'challengeLocked', ...place, terms }
          : { verb: 'challengeExit', ...place }
        const what = `${scene.coins.get(exit.ids)?.name} by ${tx.name}${spend.inclusion.length ? ' shown' : ' live'}`
        yield [what, ask(game, realm, MALLORY, call, 0n)]
      }
    }
  }
}

function* responds(game: Game, realm: Realm): Moves {
  const { scene } = game
  for (const { inFlight, hash } of runningInFlight(realm)) {
    const name = nameOf(game, hash)
    for (const block of realm.blocks) {
      const chain = chainIn(scene, block, name)
      if (!chain) continue
      const inclusion = proofOf(scene, block, chain, name)
      const call = { verb: 'respond', path: scene.paths[chain]!, inFlight, inclusion } as const
      yield [name, ask(game, realm, MALLORY, call, 0n)]
    }
  }
}

function* cancels(game: Game, realm: Realm): Moves {
  for (const { exit, lane, index } of waitingExits(realm)) {
    const name = game.scene.coins.get(exit.ids)?.name
    yield [`${name}`, ask(game, realm, MALLORY, { verb: 'cancelExit', exit, lane, index }, 0n)]
  }
}

function* processes(game: Game, realm: Realm): Moves {
  for (const [key, due] of heads(realm)) {
    if (due <= realm.time) yield [key.slice(-6), processed(game, realm, key, MALLORY)]
  }
}

function* approves(game: Game, realm: Realm): Moves {
  for (const tx of game.scene.txs.values()) {
    if (tx.by.includes('mallory')) yield [tx.name, ask(game, realm, MALLORY, { verb: 'approve', txHash: tx.hash }, 0n)]
  }
}
