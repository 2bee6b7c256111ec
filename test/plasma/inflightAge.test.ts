import { expect } from 'chai'
import { uint } from '../../src/core/base/Bytes.ts'
import { deposited, included, landing, launch, paidBy, starting } from './flights.ts'
import { depositId, exiting, idOf, payment, seal, start } from './people.ts'
import { set } from './scene.ts'
import { alice, bob, carol, expectDone, expectRefused, MFP, play } from './stage.ts'

describe('RootChain: whoever starts an in-flight exit shows how old its inputs are', () => {
  const scene = set()

  it('so a receiver cannot make a payment as young as a bad block that repeats what made its input', async () => {
    const { on, chain, gift } = scene
    // Block 1 is valid: alice has her deposit as a coin. She pays 1 of it to carol, the operator's friend: in flight.
    const own = payment(chain, [depositId(gift)], [[alice.address, 1000n]])
    const good = await seal(on, chain, [own])
    const tx = payment(
      chain,
      [idOf(on, good)],
      [
        [carol.address, 1n],
        [alice.address, 999n],
      ],
    )
    // Block 2 is bad: the same transaction again, and 1000 out of nowhere for bob.
    const bad = await seal(on, chain, [own, payment(chain, [uint(7n, 32)], [[bob.address, 1000n]])])
    const theft = await start(on, exiting(bad, 1), bob.address)
    const young = starting(on, [chain], tx, [included(bad)], alice)
    expectRefused(await play(on, young, carol.address), 'NotParty', carol.address, 0)
    const run = await launch(on, starting(on, [chain], tx, [included(good)], alice), alice.address)
    expect(run.inFlight.exitableAt < theft.exit.exitableAt).to.equal(true)
    const call = { ...landing(chain, [run]), exits: [theft.exit] }
    const { events } = expectDone(await play(on, call, bob.address, { time: theft.exit.exitableAt + 1 }))
    expect(paidBy(events)[5]).to.equal(999n)
    expect(events.map(({ name }) => name)).to.include('ExitUnpaid')
  })

  it('but once it has consumed its inputs a receiver may, for what is left', async () => {
    const { on, chain, gift } = scene
    const tx = payment(
      chain,
      [depositId(gift)],
      [
        [carol.address, 400n],
        [alice.address, 600n],
      ],
    )
    const call = starting(on, [chain], tx, [deposited(gift)], alice)
    const first = await launch(on, call, alice.address)
    on.time = first.inFlight.exitableAt
    expectDone(await play(on, landing(chain, [first]), bob.address, { time: on.time + 1 }))
    const late = await launch(on, call, carol.address)
    expectDone(await play(on, landing(chain, [late]), bob.address, { time: on.time + MFP + 1 }))
    expect(paidBy(on.history)[4]).to.equal(400n)
  })
})
