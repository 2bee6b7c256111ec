// What layer 1 keeps for people: what it could not push to them, and what waits for a lock's payee.
import type { Hex } from '../base/Bytes.ts'
import { emptyMap, entries, get, type HashMap, remove, set } from '../base/HashMap.ts'
import { isUnique } from './Ledger.ts'
import type { RunningExits } from './Running.ts'
import type { SeenEvent } from './Seen.ts'
import { escrowKey } from './Vaults.ts'

/** Money in escrow: `value` is the id of an ERC-721. */
export interface Escrow {
  readonly owner: Hex
  readonly lock: Hex
  readonly asset: Hex
  readonly value: bigint
}

/** Credits of one owner by asset, ids of its ERC-721s that wait by asset, and all escrows by their keys. */
export interface Kept {
  readonly owner: Hex
  readonly credits: HashMap<bigint>
  readonly tokens: HashMap<readonly bigint[]>
  readonly escrows: HashMap<Escrow>
}

/** Nothing is kept for an owner. */
export function nothingKept(owner: Hex): Kept {
  return { owner, credits: emptyMap(), tokens: emptyMap(), escrows: emptyMap() }
}

/** What is kept after an event; `running` tells which assets are ERC-721s. */
export function observeKept(kept: Kept, event: SeenEvent, running: RunningExits): Kept {
  switch (event.name) {
    case 'Credited':
      return event.owner === kept.owner ? addCredit(kept, event.asset, event.amount) : kept
    case 'CreditClaimed':
      return event.owner === kept.owner ? addCredit(kept, event.asset, -event.amount) : kept
    case 'TokenCredited':
      return event.owner === kept.owner ? setTokens(kept, event.asset, (ids) => [...ids, event.id]) : kept
    case 'TokenClaimed':
      return setTokens(kept, event.asset, (ids) => ids.filter((id) => id !== event.id))
    case 'Escrowed':
      return { ...kept, escrows: addEscrow(kept.escrows, event, isUnique({ running }, event.asset)) }
    case 'EscrowClaimed':
      return { ...kept, escrows: remove(kept.escrows, keyOf(event, isUnique({ running }, event.asset))) }
    default:
      return kept
  }
}

/** Everything that waits for a lock's payee, whoever that is. */
export function escrowsIn({ escrows }: Kept): readonly Escrow[] {
  return [...entries(escrows)].map(([, one]) => one)
}

function addCredit(kept: Kept, asset: Hex, amount: bigint): Kept {
  const sum = (get(kept.credits, asset) ?? 0n) + amount
  return { ...kept, credits: sum > 0n ? set(kept.credits, asset, sum) : remove(kept.credits, asset) }
}

function setTokens(kept: Kept, asset: Hex, change: (ids: readonly bigint[]) => readonly bigint[]): Kept {
  const ids = change(get(kept.tokens, asset) ?? [])
  return { ...kept, tokens: ids.length > 0 ? set(kept.tokens, asset, ids) : remove(kept.tokens, asset) }
}

function keyOf({ owner, lock, asset, value }: Escrow, unique: boolean): Hex {
  return escrowKey(owner, lock, asset, unique ? value : 0n)
}

function addEscrow(escrows: HashMap<Escrow>, { owner, lock, asset, value }: Escrow, unique: boolean): HashMap<Escrow> {
  const one = { owner, lock, asset, value }
  const key = keyOf(one, unique)
  const sum = unique ? value : (get(escrows, key)?.value ?? 0n) + value
  return sum === 0n && !unique ? escrows : set(escrows, key, { ...one, value: sum })
}
