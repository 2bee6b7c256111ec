import { lotOf } from './Lot.ts'
import type { Item, Message } from './Message.ts'
import type { Pay } from './Payment.ts'
import { type Ahead, type Draft, drop, isOver, type PeerState, type Pending, type Seat, say, set } from './PeerState.ts'
import { newest } from './Queue.ts'

// While a proposal is out, the writer says the payments of its next versions already: the other side reads and hashes them
// meanwhile, and the proposal then only counts them. They bind nobody, are stored nowhere and die with the connection.

/** How many payments are said at a time: fewer are not worth a message. */
const LEAST = 64
const MOST = 1024
/** Bytes of one lot. */
const BYTES = 1 << 18
/** How many bytes and lots wait for their version at most: constants of the protocol. */
const WAITING = 1 << 20
const LOTS = 256

/** The writer says the payments that wait and have not been said: up to the first change of a lock. */
export function sayAhead(d: Draft, seat: Seat): void {
  const { link, proposal, last, pending, end } = d.state
  if (!seat.isWriter || !proposal || !link.greeted || link.behind || end.restored || isOver(d.state)) return
  const said = Math.max(link.said, last - pending.length)
  const ahead = [...link.ahead]
  let waiting = sizeOf(ahead)
  let fresh = last - said < LEAST ? [] : runOf(newest(pending, last - said))
  let through = said
  while (fresh.length >= LEAST && waiting + BYTES <= WAITING && ahead.length < LOTS) {
    const some = fresh.slice(0, fitting(fresh))
    const lot = lotOf(some)
    through += some.length
    ahead.push({ lot, through })
    say(d, { type: 'ahead', lot })
    waiting += lot.packed.length
    fresh = fresh.slice(some.length)
  }
  if (through > said) set(d, { link: { ...d.state.link, said: through, ahead } })
}

/** How many payments were said. */
export function countOf(ahead: readonly Ahead[]): number {
  return ahead.reduce((sum, { lot }) => sum + lot.pays.length, 0)
}

function sizeOf(ahead: readonly Ahead[]): number {
  return ahead.reduce((sum, { lot }) => sum + lot.packed.length, 0)
}

function runOf(pending: readonly Pending[]): readonly Pay[] {
  const run: Pay[] = []
  for (const { change } of pending) {
    if (change.kind !== 'pay') break
    run.push(change)
  }
  return run
}

function fitting(pays: readonly Pay[]): number {
  let room = BYTES
  let count = 0
  while (count < pays.length && count < MOST) {
    room -= 100 + pays[count]!.memo.length / 2
    if (room < 0) break
    count++
  }
  return count
}

/** How many of the changes that fit a version it takes: what was said in one lot comes in one version. */
export function aligned({ link, last, pending }: PeerState, fits: number): number {
  const first = last - pending.length
  if (first + fits >= link.said) return fits
  const ends = link.ahead.findLast(({ through }) => through <= first + fits)
  return (ends?.through ?? first) - first
}

/** The lots said ahead that a version with so many of the waiting changes takes. */
export function saidIn({ link, last, pending }: PeerState, taken: number): readonly Ahead[] {
  const through = last - pending.length + taken
  return link.ahead.filter((one) => one.through <= through)
}

/** The other side keeps what is said ahead until a proposal counts it. */
export function onAhead(d: Draft, seat: Seat, { lot }: Extract<Message, { type: 'ahead' }>): void {
  const { link } = d.state
  if (seat.isWriter || !link.up || isOver(d.state)) return
  const ahead = [...link.ahead, { lot, through: 0 }]
  if (ahead.length > LOTS || sizeOf(ahead) > WAITING) drop(d, 'more payments ahead of their version than are kept')
  else set(d, { link: { ...link, ahead } })
}

/** The items of a proposal with what was said ahead in its place, or undefined if it counts more than was said. */
export function resolved(d: Draft, items: readonly Item[]): readonly Item[] | undefined {
  const { link } = d.state
  let taken = 0
  const full = items.flatMap((item): readonly Item[] => {
    if (item.kind !== 'ahead') return [item]
    taken += item.count
    return link.ahead.slice(taken - item.count, taken).map(({ lot }) => ({ kind: 'lot', lot }))
  })
  if (taken > link.ahead.length) return undefined
  if (taken > 0) set(d, { link: { ...link, ahead: link.ahead.slice(taken) } })
  return full
}
