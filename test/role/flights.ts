import { ETHER, type Hex, ZERO } from '../../src/core/base/Bytes.ts'
import { addressOf } from '../../src/core/base/Signature.ts'
import { txTree } from '../../src/core/plasma/Block.ts'
import type { CallOf, PlasmaCall, PlasmaEvent } from '../../src/core/plasma/Call.ts'
import { OWN_PERMIT } from '../../src/core/plasma/Exit.ts'
import { groupOf, type Leaving, siblingsOf } from '../../src/core/plasma/Group.ts'
import type { InFlightExit, Source } from '../../src/core/plasma/InFlightExit.ts'
import type { Signed } from '../../src/core/plasma/Ledger.ts'
import { type Output, outputId } from '../../src/core/plasma/Transaction.ts'
import { CHAIN, ETHER_100, key, type World } from './plasmaWorld.ts'
import { depositOf, hashOf, type Puppet, payment } from './puppet.ts'

export const BOB = addressOf(key(2))
/** One and a half bonds at the floor, as everybody posts them. */
export const BOND = (150_000n * 10n ** 9n * 3n) / 2n

/** 100 wei to somebody. */
export function to(owner: Hex, value = 100n): Output {
  return { owner, asset: ETHER, value, lock: ZERO }
}

/** An input that is deposit n. */
export function given(n: number): Source {
  return { deposited: [depositOf(n)], tx: [], output: 0, inclusion: [] }
}

/** An input that is an output of a committed block. */
export function made(puppet: Puppet, number: number, index: number, output = 0): Source {
  const { transaction } = puppet.served.get(number)![index]!
  return { deposited: [], tx: [transaction], output, inclusion: [puppet.proof(number, index)] }
}

/** The id of an output of a transaction. */
export function idOf(signed: Signed, output = 0): Hex {
  return outputId(hashOf(signed), output)
}

/** Everything that the court has said so far, for who needs to know how exits run. */
export class Herald {
  readonly events: PlasmaEvent[] = []

  constructor(world: World) {
    world.court.connect(BOB).follow(0, ({ kind, block }) => {
      for (const event of block.events) kind === 'block' ? this.events.push(event) : this.events.pop()
    })
  }

  all<Name extends PlasmaEvent['name']>(name: Name): readonly Extract<PlasmaEvent, { readonly name: Name }>[] {
    return this.events.filter((event) => event.name === name) as never
  }

  /** The in-flight exit of a transaction that started last. */
  exitOf(signed: Signed): InFlightExit {
    return this.all('InFlightStarted').findLast(({ txHash }) => txHash === hashOf(signed))!.inFlight
  }
}

/** The call that starts the in-flight exit of a transaction. */
export function flying({ transaction, authorisation }: Signed, ...sources: readonly Source[]): PlasmaCall {
  return { verb: 'startInFlight', path: [CHAIN], transaction, authorisation, sources, terms: [] }
}

/** The call that shows another transaction against an in-flight exit; in a block if an inclusion is given. */
export function competing(
  inFlight: InFlightExit,
  position: number,
  { transaction: tx, authorisation }: Signed,
  inclusion: CallOf<'compete'>['spend']['inclusion'] = [],
): PlasmaCall {
  const input = tx.inputs.indexOf(inFlight.tx.inputs[position]!)
  const spend = { tx, input, authorisation, inclusion }
  return { verb: 'compete', path: [CHAIN], inFlight, position, spend, terms: [] }
}

/** The call that starts an exit of outputs of one block together. */
export function leavingTogether(puppet: Puppet, number: number, indices: readonly number[]): PlasmaCall {
  const block = puppet.served.get(number)!
  const leaving = indices.map((index): Leaving => {
    const { transaction } = block[index]!
    return { id: idOf(block[index]!), transaction, output: 0, index }
  })
  const { time, asOf, childrenRoot, levels } = puppet.proof(number, 0)
  const siblings = siblingsOf(txTree(block.map(hashOf)), indices)
  const inclusion = { number, time, asOf, siblings, childrenRoot, levels }
  return { verb: 'startExits', path: [CHAIN], group: groupOf(leaving), inclusion, permit: OWN_PERMIT }
}

/** What somebody has on layer 1 more than at the beginning. */
export function gained(world: World, who: Hex): bigint {
  return world.l1.money.balance(ETHER, who) - ETHER_100
}

export { payment }
