import { type Hex, uint } from '../../src/core/base/Bytes.ts'
import { sign } from '../../src/core/base/Signature.ts'
import { finalState, stateDigest } from '../../src/core/channel/Channel.ts'
import { effects, put, stateAfter } from '../../src/core/channel/Effects.ts'
import type { Item, Message } from '../../src/core/channel/Message.ts'
import type { Pay } from '../../src/core/channel/Payment.ts'
import { stateOf } from '../../src/core/channel/PeerState.ts'
import { items as queued } from '../../src/core/channel/Queue.ts'
import { COURT, type Fighter, ID, KEYS } from './duel.ts'

/** A payment. */
export function pay(amount: bigint, number = 77): Pay {
  return { kind: 'pay', amount, paymentId: uint(number, 32), memo: '0x' }
}

/** A proposal of the writer on B's newest state, signed as it should be, whatever it does. */
export function proposal(
  to: Fighter,
  items: readonly Item[],
  change: { readonly net?: bigint; readonly skip?: bigint } = {},
): Message {
  const { complete, locks, pending } = to.state
  const requests = queued(pending)
  const done = effects(complete.book, locks)
  for (const item of items) {
    if (item.kind === 'own') put(done, 'a', item.change)
    else if (item.kind === 'request') put(done, 'b', requests[0]?.change ?? pay(1n))
  }
  const next = stateAfter(stateOf(to.seat, complete), done)!.state
  const state = { ...next, net: change.net ?? next.net, version: next.version + (change.skip ?? 0n) }
  const hash = stateDigest(COURT, state)
  return { type: 'propose', version: state.version, items, hash, signature: sign(hash, KEYS[0]) }
}

/** A side hears a message. */
export function hear(one: Fighter, message: Message): void {
  one.take({ kind: 'message', message })
}

/** A final state signed with a key. */
export function final(net: bigint, key: Hex): Message {
  return { type: 'final', net, signature: sign(stateDigest(COURT, finalState(ID, net)), key) }
}

/** The types of messages. */
export function types(said: readonly Message[]): readonly string[] {
  return said.map(({ type }) => type)
}
