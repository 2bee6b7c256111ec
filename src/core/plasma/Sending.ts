// What a call needs beside its data: wei, and gas that an estimate may not see.
import { ETHER, type Hex, ZERO } from '../base/Bytes.ts'
import type { CallOf, PlasmaCall } from './Call.ts'
import type { Terms } from './Draft.ts'
import { bond } from './Exit.ts'
import { bitsOf } from './InFlightExit.ts'
import { lockOf } from './LockTerms.ts'
import type { Output } from './Transaction.ts'

/**
 * Wei to attach to a call of `sender` at a base fee (wei per gas): the deposit's ether; one and a half bonds for a start
 * (the court takes one to two, so the base fee may rise by a half or fall by a quarter meanwhile), as many for each
 * position of an in-flight exit; the exit's own bonds for a piggyback; nothing for others.
 */
export function callValue(terms: Terms, call: PlasmaCall, baseFee: bigint, sender?: Hex): bigint {
  const least = bond(terms.bondGas, terms.feeFloor, terms.feeCeiling, baseFee)
  const fair = least + least / 2n
  switch (call.verb) {
    case 'deposit':
      return call.asset === ETHER ? call.value : 0n
    case 'startExit':
    case 'startLockedExit':
    case 'startExits':
    case 'startDepositExit':
    case 'startDepositExits':
      return fair
    case 'startInFlight':
      return fair * BigInt(1 + wantedBy(call, sender))
    case 'piggyback':
      return call.inFlight.bond * BigInt(bitsOf(call.positions).length)
    default:
      return 0n
  }
}

/**
 * How many positions the start of an in-flight exit piggybacks for its sender (whoever owns the first input unless
 * given), if none is finalised and no lock that it has a side of is decided against it.
 */
export function wantedBy({ sources, transaction, terms }: CallOf<'startInFlight'>, sender?: Hex): number {
  const spent = sources.flatMap(({ deposited, tx, output }) => deposited[0] ?? tx[0]?.outputs[output] ?? [])
  const outputs = [...spent.map((one): Output => ({ lock: ZERO, ...one })), ...transaction.outputs]
  const who = sender ?? spent[0]?.owner
  const refunds = (lock: Hex) => terms.some((one) => one.refund === who && lockOf(one) === lock)
  const shows = (lock: Hex) => lock === ZERO || terms.some((one) => lockOf(one) === lock)
  return outputs.filter(({ owner, lock }) => (owner === who && shows(lock)) || refunds(lock)).length
}

/** What exits may take at most, in gas: by the queue's asset, ether or a token. */
const GAS = {
  ether: { reserve: 350_000, exit: 200_000, position: 160_000 },
  token: { reserve: 610_000, exit: 460_000, position: 480_000 },
  member: 30_000,
  inFlight: 300_000,
} as const

/**
 * Gas to allow a call at least, whatever a node estimates: process succeeds with too little, too, and then stops early.
 * Enough for every exit even if each of its receivers burns what it is given.
 */
export function leastGas(call: PlasmaCall): bigint {
  if (call.verb !== 'process') return 0n
  const { reserve, exit, position } = call.asset === ETHER ? GAS.ether : GAS.token
  const positions = call.inFlight.reduce((sum, { tx, spent }) => sum + spent.length + tx.outputs.length, 0)
  const inFlight = GAS.inFlight * call.inFlight.length + position * positions
  return BigInt(reserve + exit * call.exits.length + GAS.member * call.members.length + inFlight)
}
