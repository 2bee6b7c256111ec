import { uint } from '../../src/core/base/Bytes.ts'
import type { Chain } from '../../src/core/plasma/Chain.ts'
import type { Permit } from '../../src/core/plasma/Exit.ts'
import { membership } from '../../src/core/plasma/Group.ts'
import type { Transaction } from '../../src/core/plasma/Transaction.ts'
import { leavingTogether, membersOf, type Place } from './branches.ts'
import { challenging, idOf, payment, processing, type Sealed, seal, start, type Waiting } from './people.ts'
import { set } from './scene.ts'
import { bob, carol } from './stage.ts'

/** Places in a block, told as `transaction.output` with blanks between. */
export function at(places: string): readonly Place[] {
  return places.split(' ').map((place) => place.split('.').map(Number) as [number, number])
}

/** Two outputs of bob and one of carol, out of nowhere. */
export function threefold(chain: Chain, memo: bigint): Transaction {
  const to = [
    [bob.address, 10n + memo],
    [carol.address, 5n],
    [bob.address, 30n + memo],
  ] as const
  return payment(chain, [uint(memo + 1n, 32)], to, { memo: uint(memo, 32) })
}

/** The scene with a block of nine payments, of which groups leave. */
export function setGroups() {
  const scene = set()
  let block: Sealed
  beforeEach(async () => {
    const txs = Array.from({ length: 9 }, (_, i) => threefold(scene.chain, BigInt(i)))
    block = await seal(scene.on, scene.chain, txs)
  })
  const together = (places: readonly Place[], of = block, permit?: Permit) =>
    leavingTogether(scene.on, of, places, permit)
  const spendOf = (place: Place) => payment(scene.chain, [idOf(scene.on, block, ...place)], [[carol.address, 1n]])
  return {
    scene,
    block: () => block,
    together,
    spendOf,
    process: (...exits: readonly Waiting[]) =>
      processing(
        scene.chain,
        exits.map(({ exit }) => exit),
        exits.flatMap(({ exit, ids }) => (exit.count > 1 ? membersOf(scene.on, ids) : [])),
      ),
    begun: (places: readonly Place[]) => start(scene.on, together(places), bob.address),
    challenge: (exit: Waiting, place: Place, by = bob) => {
      const members = membersOf(scene.on, exit.ids)
      const index = members.findIndex(({ id }) => id === idOf(scene.on, block, ...place))
      const call = challenging(scene.on, exit, scene.chain, { tx: spendOf(place), input: 0 }, by)
      return { ...call, verb: 'challengeGroup', membership: membership(members, index) } as const
    },
  }
}
