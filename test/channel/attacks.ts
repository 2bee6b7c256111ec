import { ETHER, type Hex, uint } from '../../src/core/base/Bytes.ts'
import { sign } from '../../src/core/base/Signature.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import { NO_STATE } from '../../src/core/channel/Challenge.ts'
import { stateDigest } from '../../src/core/channel/Channel.ts'
import { Loop } from '../../src/role/Loop.ts'
import { CHANNEL, COURT, Duel, type Fighter, KEYS, PERIOD } from './duel.ts'
import { type Begun, lock, MARGIN, secretOf } from './holds.ts'
import { hear, pay, proposal } from './words.ts'

// In a duel A is the writer.
const FUNDS = 1000n
const AMOUNT = 100n

/** Layer 1's word on a preimage, as somebody has it written. */
function reveal(duel: Duel, preimage: Hex): void {
  duel.mine([{ sender: CHANNEL.b.owner, call: { verb: 'reveal', preimages: [preimage] } }])
}

/** What became of a payment, as its payer's disk says. */
function outcomeOf(payer: Fighter, { paymentId }: Begun): unknown {
  return [...payer.outcomes()].find(([key]) => key.endsWith(paymentId))?.[1]
}

/** The other side signs whatever the writer has proposed. */
function acknowledge({ a }: Duel): void {
  const { state, hash } = a.state.proposal!
  hear(a, { type: 'ack', version: state.version, hash, owed: 1, signature: sign(hash, KEYS[1]) })
}

/** The writer takes a lock towards itself with a preimage that opens nothing. */
function takesUnproven(): string | undefined {
  const duel = Duel.opened(FUNDS)
  duel.liar = 'a'
  lock(duel, 'b', AMOUNT)
  duel.settleDown()
  hear(duel.b, proposal(duel.b, [{ kind: 'own', change: { kind: 'fulfilLock', lockId: 1n, preimage: uint(1, 32) } }]))
  duel.cut()
  duel.b.take({ kind: 'challenge' })
  for (let i = 0; i < 9 && !duel.b.state.finished; i++) duel.mine([], duel.chain.time + PERIOD)
  const { payB } = duel.b.state.finished!
  return payB < FUNDS ? `${FUNDS - payB} for a preimage that nobody has shown` : undefined
}

/** The receiver keeps an acknowledgement back until a lock that waits has expired, and takes it as it is added. */
function takesTooLate(): string | undefined {
  const duel = Duel.opened(FUNDS)
  duel.liar = 'b'
  duel.pay('a', 1n)
  const begun = lock(duel, 'a', AMOUNT, MARGIN + 60)
  const expiry = duel.chain.time + MARGIN + 60
  duel.deliver('a')
  const [late] = duel.wire.b.splice(0)
  const change = { kind: 'fulfilLock', lockId: 1n, preimage: secretOf(begun.paymentId) } as const
  hear(duel.a, { type: 'request', number: 1, changes: [change] })
  while (duel.chain.time <= expiry + 600) duel.mine([], duel.chain.time + 600)
  hear(duel.a, late!)
  acknowledge(duel)
  return typeof outcomeOf(duel.a, begun) === 'object' ? `${AMOUNT} for a lock that had expired` : undefined
}

/** The other side keeps its acknowledgement until its old state has won, and shows both signatures then. */
function showsTooLate(): string | undefined {
  const duel = Duel.opened(FUNDS)
  duel.liar = 'b'
  hear(duel.a, { type: 'request', number: 1, changes: [pay(AMOUNT)] })
  const { state, signature: sigA } = duel.a.state.proposal!
  const shown = { ...NO_STATE, ...state, sigA, sigB: sign(stateDigest(COURT, state), KEYS[1]) }
  duel.mine([{ sender: CHANNEL.b.owner, call: { verb: 'challenge', channel: CHANNEL, state: NO_STATE } }])
  duel.mine([], duel.chain.time + PERIOD + 1)
  hear(duel.a, { type: 'show', state: shown, owed: 1 })
  for (let i = 0; i < 4; i++) duel.mine()
  const [have, need] = [duel.a.state.finished!.payA, FUNDS + duel.a.gained()]
  return have < need ? `${need - have} that its books say it has` : undefined
}

/** Somebody wants a preimage paid that layer 1 has shown already. */
function sellsWhatIsKnown(): string | undefined {
  const duel = Duel.opened(FUNDS)
  const first = lock(duel, 'a', 1n)
  duel.settleDown()
  reveal(duel, first.preimage)
  const paymentId = uint(0xdec1ded, 32)
  const expiry = duel.chain.time + MARGIN + 600
  const asked = { kind: 'lock', paymentId, amount: AMOUNT, expiry, condition: ETHER } as const
  try {
    duel.a.take({ ...asked, key: hashLock(first.preimage), payload: '0x' })
  } catch (why) {
    return String(why).includes('KeyDecided') ? undefined : String(why)
  }
  duel.settleDown()
  const lost = FUNDS - 1n - (FUNDS - duel.a.state.complete.net)
  return lost > 0n ? `${lost} for a preimage that everybody knows` : undefined
}

/** A process ends between two things that it does: what was said by then must be on its disk. */
function saysUnsaved(): string | undefined {
  const done: string[] = []
  const step = { state: 0, rows: [{ table: 'said', key: 'word', value: true }], outputs: ['word'] }
  const loop = new Loop<number, string, string>({
    machine: () => step,
    state: 0,
    store: { commit: () => void done.push('saved') },
    speak: () => void done.push('said'),
    onFailure: (why) => void done.push(String(why)),
    schedule: (run) => run(),
  })
  loop.post('do it')
  return done[0] === 'saved' && done[1] === 'said' ? undefined : `a word that is on no disk (${done})`
}

/** Attacks on an honest side: each says what that loses by it, or nothing. */
export const ATTACKS = { takesUnproven, takesTooLate, showsTooLate, sellsWhatIsKnown, saysUnsaved } as const
