// Visits every world that a script allows, or draws schedules at random; each ends quietly, and all must have their own.
import type { Hex } from '../../../src/core/base/Bytes.ts'
import { pair } from '../../../src/core/plasma/Draft.ts'
import { consumedBy, PAID, UNKNOWN } from '../../../src/core/plasma/Exit.ts'
import { type Member, sumOf } from '../../../src/core/plasma/Group.ts'
import { idAt } from '../../../src/core/plasma/InFlightExits.ts'
import { outputId, type Transaction } from '../../../src/core/plasma/Transaction.ts'
import { ADDRESS, chainIn, HALF, HONEST, nameOf, type Script, staged } from './cast.ts'
import { horizon, looked, pendingOf } from './honest.ts'
import { type Move, movesOf, signedBy } from './hostile.ts'
import { coinsBefore, homeBlocks, homeTxs, payeeOf } from './ledger.ts'
import { ask, begun, type Game, heads, type Realm, RULED, runningInFlight } from './realm.ts'

/** How far an exploration goes: moves in a row, and worlds in all. */
export interface Bounds {
  readonly depth: number
  readonly most?: number
}

/** What an exploration found. */
export interface Found {
  readonly states: number
  readonly depth: number
  /** What went wrong, and the moves that lead there. */
  readonly violation: string | undefined
}

interface Node {
  readonly realm: Realm
  readonly path: readonly string[]
}

const LOOKS = 35

/** A game of a script, under all rules unless said. */
export function gameOf(script: Script, rules: Partial<Pick<Game, 'model' | 'manners'>> = {}): Game {
  return { ...RULED, ...rules, scene: staged(script) }
}

function beginning(game: Game): Realm {
  let realm = begun(game)
  for (const tx of game.scene.txs.values()) if (tx.by.includes('mallory')) realm = signedBy(realm, tx, 'mallory')
  for (const name of game.scene.script.begins ?? []) {
    const found = [...nextOf(game, realm)].find(([by]) => by.startsWith(name))
    if (!found) throw new Error(`nobody can ${name} in ${game.scene.script.name}`)
    realm = found[1]
  }
  return realm
}

/** Breadth first, so that what it finds is shortest. */
export function explore(game: Game, { depth, most = Number.POSITIVE_INFINITY }: Bounds): Found {
  const start = beginning(game)
  const seen = new Set([keyOf(start)])
  const queue: Node[] = [{ realm: start, path: [] }]
  const begins = game.scene.script.begins ?? []
  let deepest = 0
  for (let i = 0; i < queue.length && i < most; i++) {
    const { realm, path } = queue[i]!
    deepest = path.length
    const wrong = settled(game, realm)
    if (wrong) return { states: i + 1, depth: deepest, violation: scriptOf(wrong, [...begins, ...path]) }
    if (path.length === depth) continue
    for (const [by, next] of nextOf(game, realm)) {
      const key = keyOf(next)
      if (seen.has(key)) continue
      seen.add(key)
      queue.push({ realm: next, path: [...path, by] })
    }
  }
  return { states: Math.min(queue.length, most), depth: deepest, violation: undefined }
}

/** What random schedules found; the violation is of the shortest schedule that has one. */
export interface Hunted extends Found {
  readonly schedules: number
}

/** So many random schedules of 4 to 20 moves, drawn by a seed; only their ends are looked at. */
export function hunted(game: Game, schedules: number, seed: number): Hunted {
  const random = dice(seed)
  let [states, depth, found] = [0, 0, undefined as Found | undefined]
  for (let i = 0; i < schedules; i++) {
    const one = drawn(game, 4 + random(17), random)
    states += one.states
    depth = Math.max(depth, one.depth)
    if (one.violation && one.depth < (found?.depth ?? depth + 1)) found = one
  }
  return { schedules, states, depth, violation: found?.violation }
}

/** Numbers below what is asked for, each as likely, the same for the same seed (xorshift). */
function dice(seed: number): (below: number) => number {
  let state = (seed * 2_654_435_761 + 1) >>> 0 || 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state = (state ^ (state << 5)) >>> 0
    return state % below
  }
}

function drawn(game: Game, moves: number, random: (below: number) => number): Found {
  let realm = beginning(game)
  const path = [...(game.scene.script.begins ?? [])]
  for (let i = 0; i < moves; i++) {
    const next = [...nextOf(game, realm)]
    const time = next.filter(([by]) => TIME.test(by))
    // Time passes often enough for things to end, however much else could happen.
    const of = random(3) === 0 ? time : next
    const [by, to] = of[random(of.length)]!
    path.push(by)
    realm = to
  }
  const wrong = settled(game, realm)
  return { states: moves + 1, depth: moves, violation: wrong && scriptOf(wrong, path) }
}

const TIME = /^(they look|rest|pass)/

function scriptOf(wrong: string, path: readonly string[]): string {
  return `${wrong} after ${path.length === 0 ? 'nothing' : path.join('; ')}`
}

/** What can happen next: moves of the hostile while the honest do not look, or time. */
function* nextOf(game: Game, realm: Realm): Generator<Move> {
  const latest = realm.looked + looksOf(game)
  if (realm.time + 1 <= latest) yield* movesOf(game, realm)
  yield ['they look', looked(game, { ...realm, time: latest })]
  const next = deadline(realm)
  if (next === undefined) return
  const rest = next - looksOf(game) + 5
  if (rest > realm.time) yield [`rest until ${next - realm.time} s are left`, rested(game, realm, rest)]
  if (next <= latest) yield [`pass ${next - realm.time} s`, { ...realm, time: next }]
}

function looksOf({ scene }: Game): number {
  return scene.script.looks ?? LOOKS
}

/** The next second in which something ends or is due. */
function deadline(realm: Realm): number | undefined {
  const ends = [
    ...heads(realm).map(([, due]) => due),
    ...runningInFlight(realm).map(({ inFlight }) => inFlight.start + HALF),
  ]
  const later = ends.filter((time) => time > realm.time)
  return later.length === 0 ? undefined : Math.min(...later)
}

function rested(game: Game, before: Realm, until: number): Realm {
  let realm = before
  const step = looksOf(game)
  while (realm.looked + step < until) realm = looked(game, { ...realm, time: realm.looked + step })
  return looked(game, { ...realm, time: until })
}

/** The hostile fall silent, the honest leave with everything: what somebody lacks then. */
function settled(game: Game, from: Realm): string | undefined {
  const step = looksOf(game)
  let realm = looked(game, { ...from, leaving: true, time: Math.max(from.time, from.looked + step) })
  for (let i = 0; i < 16; i++) {
    const [before, next] = [realm.log.length, deadline(realm) ?? heads(realm)[0]?.[1]]
    if (next === undefined || next > realm.time + step) realm = looked(game, { ...realm, time: realm.time + step })
    if (next !== undefined) realm = looked(game, { ...realm, time: Math.max(next, realm.time + 1) })
    else if (realm.log.length === before) break
  }
  realm = decided(game, realm)
  return paidTwice(realm) ?? bothSides(game, realm) ?? lacking(game, realm) ?? shortPot(game, realm)
}

/** Every lock has expired, and what waited for it is fetched. */
function decided(game: Game, before: Realm): Realm {
  const { terms } = game.scene
  if (terms.size === 0) return before
  const last = Math.max(...[...terms.values()].map(({ expiry }) => expiry))
  let realm = { ...before, time: Math.max(before.time, last) + 1 }
  for (let i = 0; i < 6; i++) {
    realm = looked(game, realm)
    const next = deadline(realm)
    if (next === undefined) break
    realm = { ...realm, time: next }
  }
  for (const { event } of realm.log) {
    if (event.name !== 'Escrowed') continue
    const { owner, lock, asset } = event
    const known = terms.get(lock)!
    const to = payeeOf(game.scene, realm, { owner, lock, asset, value: 0n }, realm.time)!
    const claim = { verb: 'claimEscrow', owner, terms: known, asset, id: 0n, to } as const
    realm = ask(game, realm, to, claim, 0n) ?? realm
  }
  return realm
}

/** What was paid, by the coin's id, in order; of a group what had not been paid before. */
function paidIds(realm: Realm): readonly Hex[] {
  const paid: Hex[] = []
  const txs = new Map<Hex, Transaction>()
  const groups = new Map<Hex, readonly Member[]>()
  for (const { event } of realm.log) {
    if (event.name === 'InFlightStarted') txs.set(event.txHash, event.inFlight.tx)
    if (event.name === 'GroupStarted') groups.set(event.ids, event.members)
    if (event.name === 'InFlightPaid') paid.push(idAt(txs.get(event.txHash)!, event.txHash, event.position))
    if (event.name !== 'ExitPaid') continue
    const members = groups.get(event.ids) ?? [{ id: event.ids, value: event.amount }]
    const open = members.filter(({ id }) => !paid.includes(id))
    const whole = sumOf(open) === event.amount
    paid.push(...(whole ? open : members).map(({ id }) => id))
  }
  return paid
}

function paidTwice(realm: Realm): string | undefined {
  const ids = paidIds(realm)
  return new Set(ids).size < ids.length ? 'an output is paid twice' : undefined
}

/** Of what is in good blocks, or honest people have signed and none has: not an input and an output of it. */
function bothSides(game: Game, realm: Realm): string | undefined {
  const paid = new Set(paidIds(realm))
  const good = homeBlocks(game, realm).filter(({ number }) => number < horizon(realm))
  const anywhere = (name: string) => realm.blocks.some((block) => chainIn(game.scene, block, name))
  const own = [...realm.signed].filter((name) => !anywhere(name)).map((name) => game.scene.txs.get(name)!)
  for (const { name, hash, signed } of [...good.flatMap((block) => homeTxs(game, block)), ...own]) {
    const made = signed.outputs.some((_, i) => paid.has(outputId(hash, i)))
    if (made && signed.inputs.some((id) => paid.has(id))) return `both sides of ${name} are paid`
  }
  return undefined
}

/** Everybody honest has what is theirs: coins before the bad block, and of what is in flight one side or the other. */
function lacking(game: Game, realm: Realm): string | undefined {
  const due = new Map<string, bigint>()
  const owe = (id: Hex) => {
    const { output } = game.scene.coins.get(id)!
    const payee = payeeOf(game.scene, realm, output, realm.time)
    const who = payee && nameOf(payee)
    if (!who || !HONEST.includes(who)) return
    const unique = output.asset.startsWith('0xca')
    const key = `${ADDRESS[who]}/${output.asset}${unique ? `/${output.value}` : ''}`
    due.set(key, (due.get(key) ?? 0n) + (unique ? 1n : output.value))
  }
  const pending = new Set(HONEST.flatMap((who) => pendingOf(game, realm, who)))
  const away = new Set([...pending].flatMap(({ signed }) => signed.inputs))
  for (const id of coinsBefore(game, realm, horizon(realm)).keys()) if (!away.has(id)) owe(id)
  for (const { hash, signed } of pending) {
    const canonical = signed.inputs.every((id) => realm.court.status.get(id) === consumedBy(hash))
    if (canonical) signed.outputs.forEach((_, i) => void owe(outputId(hash, i)))
    else for (const id of signed.inputs) owe(id)
  }
  for (const [key, need] of due) {
    const have = realm.gains.get(key) ?? 0n
    if (have < need) return `${nameOf(key.slice(0, 42) as Hex)} got ${have} of ${need}`
  }
  return undefined
}

/** Where no block was bad, the pot still has all that is left on the chain. */
function shortPot(game: Game, realm: Realm): string | undefined {
  if (realm.bad !== undefined) return undefined
  const { court } = realm
  const open = (id: Hex) => (court.status.get(id) ?? UNKNOWN) < PAID
  const left = new Set([...coinsBefore(game, realm, horizon(realm)).keys()].filter(open))
  const included = new Set(homeBlocks(game, realm).flatMap((block) => homeTxs(game, block)))
  for (const tx of game.scene.txs.values()) {
    const { hash, signed } = tx
    if (included.has(tx) || !signed.inputs.every((id) => court.status.get(id) === consumedBy(hash))) continue
    signed.outputs.forEach((_, i) => void (open(outputId(hash, i)) && left.add(outputId(hash, i))))
  }
  const need = new Map<Hex, bigint>()
  for (const id of left) {
    const { asset, value } = game.scene.coins.get(id)!.output
    if (!asset.startsWith('0xca')) need.set(asset, (need.get(asset) ?? 0n) + value)
  }
  for (const [asset, sum] of need) {
    const pot = court.pots.get(pair(game.scene.ids[game.scene.home]!, asset)) ?? 0n
    if (pot < sum) return `the pot has ${pot} of ${sum}`
  }
  return undefined
}

function keyOf({ court, time, looked: since, blocks, signed, revealed, bad, shown }: Realm): string {
  const { queues, inFlight, places, status, approved, chains } = court
  const maps = [queues, inFlight, places, status, approved, chains]
  return JSON.stringify([maps, time, since, blocks, [...signed], [...revealed], bad, [...shown]], (_, value) => {
    if (typeof value === 'bigint') return value.toString(36)
    return value instanceof Map ? [...value] : value
  })
}
