import { ETHER, type Hex } from '../../src/core/base/Bytes.ts'
import type { Court } from '../../src/core/base/Court.ts'
import { require } from '../../src/core/base/Step.ts'

// The model of contracts/test/Till.sol: a court just big enough to show every kind of field an edge must carry.

export interface Note {
  readonly number: number
  readonly delta: bigint
  readonly memo: Hex
  readonly tags: readonly Hex[]
}

export type TillCall =
  | { readonly verb: 'pay'; readonly owner: Hex; readonly notes: readonly Note[]; readonly amount: bigint }
  | { readonly verb: 'draw'; readonly amount: bigint; readonly notBefore: number }

export type TillEvent =
  | { readonly name: 'Paid'; readonly owner: Hex; readonly amount: bigint; readonly notes: readonly Note[] }
  | { readonly name: 'Drawn'; readonly owner: Hex; readonly amount: bigint; readonly all: boolean }

export interface Till {
  readonly address: Hex
  readonly balances: ReadonlyMap<Hex, bigint>
}

export function callValue(call: TillCall): bigint {
  return call.verb === 'pay' ? call.amount : 0n
}

export const till: Court<Till, TillCall, TillEvent> = (state, call, { sender, time }) => {
  if (call.verb === 'pay') {
    const { owner, notes, amount } = call
    return {
      state: changed(state, owner, amount),
      events: [{ name: 'Paid', owner, amount, notes }],
      transfers: [{ asset: ETHER, from: sender, to: state.address, amount }],
    }
  }
  const { amount, notBefore } = call
  const have = state.balances.get(sender) ?? 0n
  require(time >= notBefore, 'Early', time, notBefore)
  require(have >= amount, 'Short', sender, have, amount)
  return {
    state: changed(state, sender, -amount),
    events: [{ name: 'Drawn', owner: sender, amount, all: have === amount }],
    transfers: [{ asset: ETHER, from: state.address, to: sender, amount }],
  }
}

function changed(state: Till, owner: Hex, by: bigint): Till {
  return { ...state, balances: new Map(state.balances).set(owner, (state.balances.get(owner) ?? 0n) + by) }
}
