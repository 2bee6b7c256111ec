// What the home chain's blocks say by the rules: who has what, and whether a block is valid.
import { type Hex, ZERO } from '../../../src/core/base/Bytes.ts'
import type { PlasmaEvent } from '../../../src/core/plasma/Call.ts'
import { assetsOf, bitsOf, type InFlightExit } from '../../../src/core/plasma/InFlightExit.ts'
import { type Output, outputId } from '../../../src/core/plasma/Transaction.ts'
import { ADDRESS, HONEST, type Scene, type Sealed, type Tx, txsIn } from './cast.ts'
import type { Freeze, Game, Realm } from './realm.ts'

/** Unspent coins, and the number that made each (0 for a deposit). */
export type Coins = ReadonlyMap<Hex, number>

/** The home chain's transactions in a block: none where its slot is void. */
export function homeTxs({ scene }: Game, block: Pick<Sealed, 'content' | 'number'>): readonly Tx[] {
  const { forged, stale, unsigned } = scene.script.blocks[block.content]!
  const early = block.number <= (scene.script.late ?? 0)
  return forged || stale || unsigned || early ? [] : txsIn(scene, block, scene.home)
}

/** The blocks that are the home chain's, or its parent's. */
export function homeBlocks({ scene }: Game, { blocks }: Pick<Realm, 'blocks'>): readonly Sealed[] {
  return blocks.filter(({ on }) => on === (scene.home === 'K' ? 'C' : scene.home))
}

/** The coins that are unspent before a number, if every block before is carried out. */
export function coinsBefore(game: Game, realm: Realm, number: number): Coins {
  const coins = new Map<Hex, number>()
  for (const { event } of realm.log) if (event.name === 'Deposited') coins.set(event.id, 0)
  for (const block of homeBlocks(game, realm)) {
    if (block.number >= number) break
    if (block.valid) for (const tx of homeTxs(game, block)) carryOut(coins, tx, block.number)
  }
  return coins
}

function carryOut(coins: Map<Hex, number>, { hash, signed }: Tx, number: number): void {
  for (const id of signed.inputs) coins.delete(id)
  signed.outputs.forEach((_, i) => void coins.set(outputId(hash, i), number))
}

/** Whether a block of the home chain would be valid as its next one. */
export function isValid(game: Game, realm: Realm, block: Pick<Sealed, 'content' | 'number' | 'asOf'>): boolean {
  const coins = new Map(coinsBefore(game, realm, block.number))
  const frozen = frozenAsOf(realm, block.asOf, game.manners.unfrozen)
  const known = deposited(realm, block.asOf)
  for (const tx of homeTxs(game, block)) {
    const { inputs, lastBlock, chain } = tx.signed
    if (chain !== game.scene.ids[game.scene.home] || lastBlock < block.number || inputs.length === 0) return false
    if (new Set(inputs).size < inputs.length) return false
    for (const id of inputs) {
      const made = coins.get(id)
      if (made === undefined || made >= block.number || (made === 0 && !known.has(id))) return false
      if (!(frozen.get(id) ?? tx.hash).includes(tx.hash)) return false
    }
    if (!isAuthorised(game, realm, tx, block.asOf) || !conserves(game.scene, tx)) return false
    carryOut(coins, tx, block.number)
  }
  return true
}

function deposited({ log }: Realm, asOf: number): ReadonlySet<Hex> {
  return new Set(log.flatMap(({ time, event }) => (event.name === 'Deposited' && time <= asOf ? [event.id] : [])))
}

/** Every input has one payee, who has signed; of a lock that nobody has decided, both sides have. */
function isAuthorised({ scene }: Game, realm: Realm, { name, signed, by: signers }: Tx, asOf: number): boolean {
  const by = signers.filter((who) => !HONEST.includes(who) || realm.signed.has(name))
  const owned = signed.inputs.map((id) => scene.coins.get(id)!.output)
  const payees = new Set(owned.map((output) => payeeOf(scene, realm, output, asOf)))
  const [payee] = payees
  const { owner, lock } = owned[0]!
  if (payees.size > 1) return false
  if (payee) return by.some((who) => ADDRESS[who] === payee)
  const sides = [owner, scene.terms.get(lock)!.refund]
  return owned.length === 1 && sides.every((side) => by.some((who) => ADDRESS[who] === side))
}

/** Whom an output belongs to as of a second; undefined while nobody has decided. */
export function payeeOf(scene: Scene, realm: Realm, { owner, lock }: Output, asOf: number): Hex | undefined {
  if (lock === ZERO) return owner
  const { hash, expiry, refund } = scene.terms.get(lock)!
  const revealed = realm.revealed.get(hash) ?? 0
  if (revealed !== 0 && revealed <= Math.min(expiry, asOf)) return owner
  return asOf > expiry ? refund : undefined
}

function conserves(scene: Scene, { signed }: Tx): boolean {
  const spent = signed.inputs.map((id) => scene.coins.get(id)!.output)
  return [...signed.outputs, ...spent].every(({ asset, value: one }) => {
    const sum = (of: readonly Output[]) => of.reduce((n, o) => (o.asset === asset ? n + o.value : n), 0n)
    const count = (of: readonly Output[]) => of.filter((o) => o.asset === asset && o.value === one).length
    if (asset.startsWith('0xca')) return count(spent) === 1 && count(signed.outputs) === 1
    return sum(spent) >= sum(signed.outputs)
  })
}

interface InFlightFreeze {
  readonly inFlight: InFlightExit
  wanted: number
  done: number
  over: boolean
}

/** What nobody may spend as of a second (''), or only the transaction whose hash is there. */
function frozenAsOf(realm: Realm, asOf: number, unfrozen?: Freeze): ReadonlyMap<Hex, string> {
  const frozen = new Map<Hex, string>()
  const [exits, paid] = [new Map<string, readonly Hex[]>(), new Set<Hex>()]
  const running = new Map<Hex, InFlightFreeze>()
  const owned = new Map<Hex, Hex>()
  const seen = realm.log.filter(({ time }) => time <= asOf).map(({ event }) => event)
  seen.forEach((event, i) => {
    observeExit(exits, paid, event, seen[i + 1])
    observeInFlight(running, paid, owned, event)
  })
  const freeze = (kind: Freeze, ids: Iterable<Hex>, but = '') => {
    if (kind === unfrozen) return
    // Whom one exit would allow another forbids.
    for (const id of ids) frozen.set(id, (frozen.get(id) ?? but) === but ? but : '')
  }
  for (const [id, hash] of owned) freeze('in flight', [id], hash)
  const still = [...running].filter(([, { over }]) => !over)
  for (const [hash, { inFlight }] of still) if (!inFlight.late) freeze('in flight', inFlight.tx.inputs, hash)
  for (const [hash, { inFlight, wanted }] of still) freeze('wanted', idsAt(inFlight, hash, wanted))
  for (const ids of exits.values()) freeze('leaving', ids)
  freeze('paid', paid)
  return frozen
}

function idsAt({ tx }: InFlightExit, hash: Hex, positions: number): readonly Hex[] {
  return bitsOf(positions).map((at) => (at < 4 ? tx.inputs[at]! : outputId(hash, at - 4)))
}

function observeExit(
  exits: Map<string, readonly Hex[]>,
  paid: Set<Hex>,
  event: PlasmaEvent,
  next: PlasmaEvent | undefined,
): void {
  if (event.name === 'ExitStarted') {
    const ids = next?.name === 'GroupStarted' ? next.members.map(({ id }) => id) : [event.ids]
    exits.set(`${event.ids}/${event.lane}/${event.index}`, ids)
  } else if (/^Exit(Challenged|Cancelled|Dropped|Unpaid|Paid)$/.test(event.name)) {
    const { ids, lane, index } = event as Extract<PlasmaEvent, { name: 'ExitPaid' }>
    const key = `${ids}/${lane}/${index}`
    if (event.name === 'ExitPaid') for (const id of exits.get(key) ?? []) paid.add(id)
    exits.delete(key)
  }
}

function observeInFlight(
  running: Map<Hex, InFlightFreeze>,
  paid: Set<Hex>,
  owned: Map<Hex, Hex>,
  event: PlasmaEvent,
): void {
  if (event.name === 'InFlightStarted') {
    running.set(event.txHash, { inFlight: event.inFlight, wanted: event.piggybacked, done: 0, over: false })
    return
  }
  const one = 'txHash' in event ? running.get(event.txHash) : undefined
  if (!one || !('txHash' in event)) return
  const { inFlight } = one
  if (event.name === 'Piggybacked') one.wanted |= event.positions
  if (event.name === 'Competed' || event.name === 'OutputChallenged') one.wanted &= ~(1 << event.position)
  if (event.name === 'InFlightPaid') {
    for (const id of idsAt(inFlight, event.txHash, 1 << event.position)) paid.add(id)
  }
  if (event.name === 'InFlightProcessed') {
    if (event.canonical) for (const id of inFlight.tx.inputs) owned.set(id, event.txHash)
    // The events of the last queue's payments follow this one; what they pay is marked by then.
    one.over = ++one.done === assetsOf(inFlight).length
  }
}
