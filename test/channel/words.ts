import { type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { sign } from '../../src/core/base/Signature.ts'
import { finalState, type Side, stateDigest } from '../../src/core/channel/Channel.ts'
import type { Item, Message } from '../../src/core/channel/Message.ts'
import { nextState, type Pay } from '../../src/core/channel/Payment.ts'
import { stateOf } from '../../src/core/channel/PeerState.ts'
import { COURT, type Fighter, ID, KEYS } from './duel.ts'

/** No state at all, as it travels to the court. */
export const NO_STATE = { version: 0n, net: 0n, batch: ZERO, locks: '0x', sigA: '0x', sigB: '0x' } as const

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
  const requests = [...to.state.pending.front]
  const paid = items.flatMap((item) => {
    if (item.kind === 'own') return [{ payer: 'a' as Side, pay: item.change as Pay }]
    return item.kind === 'request' ? [{ payer: 'b' as Side, pay: (requests[0]?.change as Pay) ?? pay(1n) }] : []
  })
  const next = nextState(stateOf(to.seat, to.state.complete), paid)!
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
