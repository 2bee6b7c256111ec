import type { Hex } from '../../core/base/Bytes.ts'
import type { Transfer } from '../../core/base/Court.ts'
import { Fault } from '../Fault.ts'

/** Who holds how much of which asset. Nothing is ever negative, and only `mint` changes a total. */
export interface Ledger {
  balance(asset: Hex, owner: Hex): bigint
  /** The sum of all balances of an asset. */
  total(asset: Hex): bigint
  /** Gives `owner` money out of nothing. */
  mint(asset: Hex, owner: Hex, amount: bigint): void
  /** Makes moves in order: all of them, or none and InsufficientFunds. */
  move(transfers: readonly Transfer[]): void
  /** Takes moves back that were made last. */
  undo(transfers: readonly Transfer[]): void
}

/** An empty ledger. */
export function ledger(): Ledger {
  const assets = new Map<Hex, Map<Hex, bigint>>()
  const balance = (asset: Hex, owner: Hex) => assets.get(asset)?.get(owner) ?? 0n

  function add(asset: Hex, owner: Hex, amount: bigint): void {
    const owners = assets.get(asset) ?? new Map<Hex, bigint>()
    assets.set(asset, owners.set(owner, balance(asset, owner) + amount))
  }

  function moveOne({ asset, from, to, amount }: Transfer): void {
    if (amount < 0n) throw new RangeError(`a transfer of ${amount}`)
    const have = balance(asset, from)
    if (have < amount) {
      throw new Fault(
        'InsufficientFunds',
        `${from} has ${have} of asset ${asset} and needs ${amount}; send it more first`,
      )
    }
    add(asset, from, -amount)
    add(asset, to, amount)
  }

  function undo(transfers: readonly Transfer[]): void {
    for (const { asset, from, to, amount } of [...transfers].reverse()) {
      add(asset, to, -amount)
      add(asset, from, amount)
    }
  }

  function move(transfers: readonly Transfer[]): void {
    let made = 0
    try {
      for (; made < transfers.length; made++) moveOne(transfers[made]!)
    } catch (why) {
      undo(transfers.slice(0, made))
      throw why
    }
  }

  return {
    balance,
    total: (asset) => [...(assets.get(asset)?.values() ?? [])].reduce((sum, amount) => sum + amount, 0n),
    mint: add,
    move,
    undo,
  }
}
