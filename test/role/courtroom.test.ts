import { expect } from 'chai'
import { ETHER, uint } from '../../src/core/base/Bytes.ts'
import { Refusal } from '../../src/core/base/Step.ts'
import type { ChannelCall } from '../../src/core/channel/Call.ts'
import type { Receipt } from '../../src/edge/chain/Chain.ts'
import { Courtroom } from '../../src/role/Courtroom.ts'

const ID = uint(1, 32)
const RECEIPT: Receipt = { hash: ID, block: 1, gasUsed: 1n }
const deposit = (amount: bigint): ChannelCall => ({ verb: 'deposit', asset: ETHER, channelId: ID, toB: false, amount })

/** A courtroom, what it has sent, and how each of its calls is ended. */
function room() {
  const sent: bigint[] = []
  const faults: unknown[] = []
  const ends: { done(receipt: Receipt): void; failed(why: unknown): void }[] = []
  const send = (call: ChannelCall) => {
    sent.push((call as Extract<ChannelCall, { verb: 'deposit' }>).amount)
    return new Promise<Receipt>((done, failed) => ends.push({ done, failed }))
  }
  return { sent, faults, ends, courtroom: new Courtroom({ send }, (why) => faults.push(why)) }
}

const turn = () => new Promise(setImmediate)

describe('Courtroom', () => {
  it('sends the newest of the calls that were asked for while one was on its way, without a block in between', async () => {
    const { courtroom, sent, ends, faults } = room()
    for (const amount of [1n, 1n, 2n, 3n]) courtroom.call(ID, deposit(amount), undefined)
    expect(sent).to.deep.equal([1n])
    ends[0]!.failed(new Refusal('ChannelClosed', ID))
    await turn()
    expect(sent).to.deep.equal([1n, 3n])
    ends[1]!.done(RECEIPT)
    await turn()
    courtroom.call(ID, deposit(3n), undefined)
    expect(sent).to.deep.equal([1n, 3n, 3n])
    expect(faults).to.deep.equal([])
  })

  it('leaves the same call to the next block, and sends nothing more once it has stopped', async () => {
    const { courtroom, sent, ends } = room()
    courtroom.call(ID, deposit(1n), undefined)
    courtroom.call(ID, deposit(1n), undefined)
    ends[0]!.done(RECEIPT)
    await turn()
    expect(sent).to.deep.equal([1n])
    courtroom.call(ID, deposit(2n), undefined)
    courtroom.call(ID, deposit(3n), undefined)
    courtroom.stop()
    ends[1]!.done(RECEIPT)
    await turn()
    expect(sent).to.deep.equal([1n, 2n])
  })
})
