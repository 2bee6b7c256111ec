import { ETHER, type Hex, uint, ZERO } from '../../../src/core/base/Bytes.ts'
import { addressOf, domain, sign } from '../../../src/core/base/Signature.ts'
import type { PlasmaCall } from '../../../src/core/plasma/Call.ts'
import { chainId } from '../../../src/core/plasma/Chain.ts'
import type { Signed } from '../../../src/core/plasma/Ledger.ts'
import type { SeenEvent } from '../../../src/core/plasma/Seen.ts'
import { depositId, txHash } from '../../../src/core/plasma/Transaction.ts'
import type { Chain } from '../../../src/edge/chain/Chain.ts'

const COURT: Hex = `0x${'c0'.repeat(20)}`
/** The domain of the court of the benches. */
export const DOMAIN = domain(31337n, COURT)
/** Who operates. */
export const OPERATOR = addressOf(uint(1, 32))
/** The chain that is measured. */
export const CHAIN = { parent: ZERO, slot: 0, operator: OPERATOR }
const ID = chainId(CHAIN)

/** Every payer has a key of its own, so that no key's result can be kept from one payment to the next. */
function payer(n: number): Hex {
  return uint(1_000_000 + n, 32)
}

/** Deposits and the payments that spend them, made once: signatures take longer than what is measured. */
export interface Payers {
  readonly deposits: readonly SeenEvent[]
  readonly payments: readonly Signed[]
}

/** So many payers, who have deposited and signed a payment each. */
export function payers(count: number): Payers {
  const [deposits, payments]: [SeenEvent[], Signed[]] = [[], []]
  for (let n = 0; n < count; n++) {
    const owner = addressOf(payer(n))
    const deposit = { chain: ID, sender: owner, salt: uint(n, 32), owner, asset: ETHER, value: 10n ** 18n }
    const id = depositId(deposit)
    deposits.push({ name: 'Deposited', id, ...deposit })
    const outputs = [{ owner: OPERATOR, asset: ETHER, value: 10n ** 18n, lock: ZERO }]
    const transaction = { chain: ID, inputs: [id], outputs, lastBlock: 100, memo: ZERO }
    payments.push({ transaction, authorisation: sign(txHash(DOMAIN, transaction), payer(n)) })
  }
  return { deposits, payments }
}

/** A layer 1 of one block that has the registration and every deposit; it takes commitments and never shows them. */
export function layer1(deposits: readonly SeenEvent[]): Chain<PlasmaCall, SeenEvent> {
  const events: readonly SeenEvent[] = [{ name: 'ChainRegistered', chain: ID, since: 0, path: [CHAIN] }, ...deposits]
  const block = { number: 0, hash: uint(1, 32), parent: ZERO, time: 1_800_000_000, events }
  return {
    chainId: 31337n,
    court: COURT,
    sender: OPERATOR,
    verdict: async () => undefined,
    head: async () => 0,
    follow: (_, sink) => {
      sink({ kind: 'block', block })
      return () => {}
    },
    send: async () => ({ hash: ZERO, block: Number.MAX_SAFE_INTEGER, gasUsed: 0n }),
  }
}
