import { type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { addressOf, domain } from '../../src/core/base/Signature.ts'
import { header, txRoot } from '../../src/core/plasma/Block.ts'
import { chainId, type Chain as PlasmaChain } from '../../src/core/plasma/Chain.ts'
import type { Signed } from '../../src/core/plasma/Ledger.ts'
import { txHash } from '../../src/core/plasma/Transaction.ts'
import { PEOPLE, type Who } from './Act.ts'
import type { Ground } from './Ground.ts'

/** What everybody has before anything happens: of the asset, and of ether for bonds. */
export const PURSE = 1000n * 10n ** 16n
export const BONDS = 10n ** 20n
export const UNIT = 10n ** 16n
/** Seconds between blocks; in which everything has left; that anybody may be late; before a block is withheld. */
export const INTERVAL = 1200
export const MFP = 4 * 86_400
export const STRESS = 8 * 3600
export const PATIENCE = 12 * 3600
export const MARGIN = 3600
export const TOKEN = uint(0x70c3, 20)
export const COURT: Hex = `0x${'c0'.repeat(20)}`
export const REGISTRY: Hex = `0x${'4e'.repeat(20)}`
const OPERATOR_KEY = uint(0x9999, 32)
export const THIEF_KEY = uint(0x6666, 32)
export const CHAIN: PlasmaChain = { parent: ZERO, slot: 0, operator: addressOf(OPERATOR_KEY) }
export const ID = chainId(CHAIN)
export const DOMAIN = domain(31337n, COURT)
export const NOBODY = uint(0xfff, 20)

/** The key of somebody's wallet. */
export function keyOf(who: Who): Hex {
  return uint(0x1000 + PEOPLE.indexOf(who), 32)
}

export function hashOf(signed: Signed): Hex {
  return txHash(DOMAIN, signed.transaction)
}

/** A block that somebody has made. */
export function keepBlock(on: Pick<Ground, 'blocks'>, transactions: readonly Signed[]): Hex {
  const head = header(txRoot(transactions.map(hashOf)))
  on.blocks.set(head, transactions)
  return head
}
