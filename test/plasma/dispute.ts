import {
  competing,
  deposited,
  landing,
  launch,
  piggybacking,
  type Running,
  responding,
  spending,
  starting,
} from './flights.ts'
import { depositId, payment, type Sealed, shown } from './people.ts'
import type { Scene } from './scene.ts'
import { alice, bob, carol, expectDone, play, type Sending, stranger } from './stage.ts'

/** What disputes about one payment of a scene are made of: alice's, of her deposit, to bob and back to herself. */
export function dispute(scene: Scene) {
  const pay = (change = {}) =>
    payment(
      scene.chain,
      [depositId(scene.gift)],
      [
        [bob.address, 600n],
        [alice.address, 400n],
      ],
      change,
    )
  const rival = (change = {}) => payment(scene.chain, [depositId(scene.gift)], [[carol.address, 1000n]], change)
  const share = (third = carol, change = {}) =>
    payment(
      scene.chain,
      [depositId(scene.gift)],
      [
        [bob.address, 600n],
        [alice.address, 300n],
        [third.address, 100n],
      ],
      change,
    )
  const begin = (tx = pay(), by = alice.address, sending: Sending = {}) =>
    launch(scene.on, starting(scene.on, [scene.chain], tx, [deposited(scene.gift)], alice), by, sending)
  /** A run whose output to bob is wanted, too. */
  const wanted = async (tx = pay()) => {
    const run = await begin(tx)
    expectDone(await play(scene.on, piggybacking(run, 16), bob.address))
    return run
  }
  const process = (run: Running, time = run.inFlight.exitableAt) =>
    play(scene.on, landing(scene.chain, [run]), stranger.address, { time })
  const compete = (run: Running, tx = rival(), at?: Sealed, index = 0) =>
    competing([scene.chain], run, 0, spending(scene.on, tx, tx.inputs[0]!, alice, at ? [shown(at, index)] : []))
  const respond = (run: Running, block: Sealed, index = 0) => responding([scene.chain], run, shown(block, index))
  const worth = (who: { address: `0x${string}` }) => scene.on.balances.get(who.address)!
  const stateOf = (run: Running) => scene.on.model.inFlight.get(run.txHash)
  return { pay, rival, share, begin, wanted, process, compete, respond, worth, stateOf }
}
