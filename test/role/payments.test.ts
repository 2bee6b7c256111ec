import { expect } from 'chai'
import { uint } from '../../src/core/base/Bytes.ts'
import { serialId } from '../../src/core/channel/Payment.ts'
import { Payments } from '../../src/role/Payments.ts'
import { Duel } from '../channel/duel.ts'
import { hear, proposal } from '../channel/words.ts'

describe('Payments', () => {
  it('know a payment as paid that was refused before under an id of the node’s own making: nobody pays it again', () => {
    const duel = Duel.opened(1000n)
    const paymentId = serialId(uint(7, 16), 1)
    const pay = { kind: 'pay', amount: 5n, paymentId, memo: '0x' } as const
    const kept = () => new Payments(duel.b.store, { verdict: async () => undefined }).outcome(duel.b.seat, paymentId)
    duel.cut()
    duel.b.take(pay)
    duel.b.take({ kind: 'up' })
    const { complete, last } = duel.b.state
    hear(duel.b, { type: 'hello', version: complete.version, hash: duel.b.state.hash, owed: 0, restored: false })
    hear(duel.b, proposal(duel.b, [{ kind: 'refusal', number: last, code: 'InsufficientFunds' }]))
    expect(kept()).to.equal('InsufficientFunds')
    duel.b.take(pay)
    hear(duel.b, proposal(duel.b, [{ kind: 'request', number: last + 1 }]))
    expect(kept()).to.deep.equal({ paymentId, version: complete.version + 2n, index: 0 })
  })
})
