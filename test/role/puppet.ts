import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { addressOf, sign } from '../../src/core/base/Signature.ts'
import { Refusal } from '../../src/core/base/Step.ts'
import { header, type Inclusion, inclusion, txRoot, txTree } from '../../src/core/plasma/Block.ts'
import type { PlasmaCall } from '../../src/core/plasma/Call.ts'
import { chainId } from '../../src/core/plasma/Chain.ts'
import { OWN_PERMIT } from '../../src/core/plasma/Exit.ts'
import type { Signed } from '../../src/core/plasma/Ledger.ts'
import { depositId, type Transaction, txHash } from '../../src/core/plasma/Transaction.ts'
import type { OperatorApi, ServedBlock } from '../../src/edge/http/OperatorApi.ts'
import { memoryClient } from '../../src/edge/http/OperatorClient.ts'
import { operatorHandler } from '../../src/edge/http/OperatorServer.ts'
import { CHAIN, DEPTH, DOMAIN, key, World } from './plasmaWorld.ts'

export const ID = chainId(CHAIN)
export const PAYER = addressOf(key(1))
export const THIEF = addressOf(key(5))

export function depositOf(n: number) {
  return { chain: ID, sender: PAYER, salt: uint(n, 32), owner: PAYER, asset: ETHER, value: 100n }
}

/** A payment of 100 wei, of deposit n by its owner unless told otherwise. */
export function payment(n: number, changes: Partial<Transaction> = {}, by = key(1)): Signed {
  const outputs = [{ owner: PAYER, asset: ETHER, value: 100n, lock: ZERO }]
  const transaction = { chain: ID, inputs: [depositId(depositOf(n))], outputs, lastBlock: 1000, memo: ZERO, ...changes }
  return { transaction, authorisation: sign(txHash(DOMAIN, transaction), by) }
}

export function hashOf(signed: Signed): Hex {
  return txHash(DOMAIN, signed.transaction)
}

/** An operator that commits and serves whatever it is told to. */
export class Puppet {
  readonly world: World
  readonly served = new Map<number, readonly Signed[]>()
  #number = 0

  constructor(world: World) {
    this.world = world
  }

  get number(): number {
    return this.#number
  }

  get api(): OperatorApi {
    const block = async (number: number): Promise<ServedBlock> => {
      const transactions = this.served.get(number)
      if (!transactions) throw new Refusal('UnknownBlock', number)
      return { number, asOf: 0, header: ZERO, transactions }
    }
    const nobody = () => Promise.reject(new Refusal('UnknownOutput', ZERO))
    const tree = { openings: nobody, tender: nobody, offer: nobody, openingsOf: nobody }
    const more = { transaction: nobody, deposits: nobody }
    const api = {
      ...more,
      status: nobody,
      fees: nobody,
      submit: nobody,
      submitAll: nobody,
      proof: nobody,
      unspent: nobody,
      ...tree,
    }
    return memoryClient(operatorHandler({ ...api, block }))
  }

  /** Commits a block, shows it unless it is withheld, and waits until it is final. */
  async commit(transactions: readonly Signed[], { shown = true, seen = true } = {}): Promise<void> {
    const { l1 } = this.world
    const number = ++this.#number
    if (shown) this.served.set(number, transactions)
    const asOf = seen ? l1.head().time : l1.head().time - 3000
    const head = header(txRoot(transactions.map(hashOf)))
    await this.send(CHAIN.operator, { verb: 'commit', chain: CHAIN, number, header: head, asOf })
  }

  async send(sender: Hex, call: PlasmaCall): Promise<void> {
    const sent = this.world.connect(sender).send(call)
    await this.world.mine(DEPTH + 2)
    await sent
  }

  /** Starts the exit of an output of a committed block. */
  exit(number: number, index: number, sender = PAYER): Promise<void> {
    const shown = this.proof(number, index)
    const { transaction } = this.served.get(number)![index]!
    return this.send(sender, {
      verb: 'startExit',
      path: [CHAIN],
      transaction,
      output: 0,
      inclusion: shown,
      permit: OWN_PERMIT,
    })
  }

  /** The proof that a transaction is in a committed block. */
  proof(number: number, index: number): Inclusion {
    const { asOf, time } = this.world.commits[number - 1]!
    return inclusion(txTree(this.served.get(number)!.map(hashOf)), index, { number, asOf, time })
  }

  exitDeposit(n: number): Promise<void> {
    return this.send(PAYER, { verb: 'startDepositExit', deposited: depositOf(n), permit: OWN_PERMIT })
  }
}

export async function ready(deposits = 3): Promise<{ world: World; puppet: Puppet }> {
  const world = new World()
  const puppet = new Puppet(world)
  await puppet.send(CHAIN.operator, { verb: 'register', path: [CHAIN], signatures: ['0x'] })
  for (let n = 0; n < deposits; n++) {
    const { chain, salt, owner, asset, value } = depositOf(n)
    await puppet.send(PAYER, { verb: 'deposit', chain, salt, owner, asset, value })
  }
  return { world, puppet }
}
