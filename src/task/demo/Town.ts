import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NetworkConnection } from 'hardhat/types/network'
import { ETHER, type Hex } from '../../core/base/Bytes.ts'
import type { ChannelCall, ChannelEvent } from '../../core/channel/Call.ts'
import { channelChain } from '../../edge/chain/ChannelChain.ts'
import { type Account, localAccount } from '../../edge/chain/LocalAccounts.ts'
import { type PlasmaChain, plasmaChain } from '../../edge/chain/PlasmaChain.ts'
import type { RpcChain } from '../../edge/chain/Rpc.ts'
import { Fault } from '../../edge/Fault.ts'
import { openStore } from '../../edge/store/Sqlite.ts'
import type { Store } from '../../edge/store/Store.ts'

/** One transaction that the demo sent to layer 1. */
export interface Sent {
  readonly from: Hex
  readonly to: Hex
  readonly verb: string
  readonly gas: bigint
  /** Wei that left the sender: value and fee. */
  readonly spent: bigint
}

/** A local layer 1 with fresh courts and a token on it, a folder for stores, and a clock that can be turned on. */
export class Town {
  readonly folder = mkdtempSync(join(tmpdir(), 'kerros-demo-'))
  readonly #connection: NetworkConnection
  readonly #started: number
  readonly #ends: (() => unknown)[] = []
  readonly #chains: { poll(): Promise<void> }[] = []
  readonly #addresses: { readonly adjudicator: Hex; readonly rootChain: Hex; readonly token: Hex }

  private constructor(connection: NetworkConnection, started: number, addresses: Town['addresses']) {
    this.#connection = connection
    this.#started = started
    this.#addresses = addresses
  }

  /** Deploys the courts and a token that everybody may mint. */
  static async build(connection: NetworkConnection): Promise<Town> {
    const { ethers } = connection
    const started = await ethers.provider.getBlockNumber()
    const adjudicator = await ethers.deployContract('Adjudicator')
    const times = [7 * 86_400, 3600, 43_200] as const
    const bonds = [300_000n, 10n ** 9n, 200n * 10n ** 9n] as const
    const rootChain = await ethers.deployContract('RootChain', [adjudicator, ...times, ...bonds])
    const token = await ethers.deployContract('Token')
    const [a, r, t] = await Promise.all([adjudicator, rootChain, token].map((contract) => contract.getAddress()))
    const lower = (text: string | undefined) => String(text).toLowerCase() as Hex
    return new Town(connection, started, { adjudicator: lower(a), rootChain: lower(r), token: lower(t) })
  }

  get addresses(): { readonly adjudicator: Hex; readonly rootChain: Hex; readonly token: Hex } {
    return this.#addresses
  }

  /** The block before the courts. */
  get started(): number {
    return this.#started
  }

  /** The channel court as an account sees it. */
  async channels(account: Account): Promise<RpcChain<ChannelCall, ChannelEvent>> {
    const { ethers } = this.#connection
    const signer = await ethers.getSigner(account.address)
    return this.#keep(
      await channelChain({ provider: ethers.provider, signer, court: this.addresses.adjudicator, interval: 50 }),
    )
  }

  /** The Plasma court as an account sees it. */
  async plasma(account: Account): Promise<PlasmaChain> {
    const { ethers } = this.#connection
    const signer = await ethers.getSigner(account.address)
    return this.#keep(
      await plasmaChain({ provider: ethers.provider, signer, court: this.addresses.rootChain, interval: 50 }),
    )
  }

  #keep<Of extends { poll(): Promise<void> }>(chain: Of): Of {
    this.#chains.push(chain)
    return chain
  }

  /** A durable store in the demo's folder. */
  store(name: string): Store {
    const store = openStore(join(this.folder, `${name}.sqlite`), `kerros demo: ${name}`)
    this.atEnd(() => store.close())
    return store
  }

  /** Gives an account tokens. */
  async token(account: Account, amount: bigint): Promise<void> {
    const { ethers } = this.#connection
    const signer = await ethers.getSigner(account.address)
    const token = await ethers.getContractAt('Token', this.addresses.token, signer)
    await (await token.mint(account.address, amount)).wait()
  }

  /** An account's balance now, in the asset's smallest unit. */
  async balance(asset: Hex, account: Hex): Promise<bigint> {
    const { ethers } = this.#connection
    if (asset === ETHER) return ethers.provider.getBalance(account)
    return (await ethers.getContractAt('Token', asset)).balanceOf(account)
  }

  /** Sends a plain payment and tells its gas: what one payment costs without a second layer. */
  async plainPayment(asset: Hex, from: Account, to: Hex, amount: bigint): Promise<bigint> {
    const { ethers } = this.#connection
    const signer = await ethers.getSigner(from.address)
    const token = await ethers.getContractAt('Token', this.addresses.token, signer)
    const sent = asset === ETHER ? signer.sendTransaction({ to, value: amount }) : token.transfer(to, amount)
    return (await (await sent).wait())!.gasUsed
  }

  /** Lets `seconds` pass on layer 1. */
  async pass(seconds: number): Promise<void> {
    const { provider } = this.#connection
    await provider.request({ method: 'evm_increaseTime', params: [seconds] })
    await this.mine(1)
  }

  /** Mines empty blocks, and lets everybody see them. */
  async mine(blocks: number): Promise<void> {
    for (let i = 0; i < blocks; i++) await this.#connection.provider.request({ method: 'evm_mine', params: [] })
    await this.look()
  }

  /** The time of the newest block, seconds. */
  async now(): Promise<number> {
    return (await this.#connection.ethers.provider.getBlock('latest'))!.timestamp
  }

  /** Lets everybody see the newest block. */
  async look(): Promise<void> {
    for (const chain of this.#chains) await chain.poll()
  }

  /** Waits until something holds; a sentence about it is thrown if it does not within a minute. */
  async until(what: string, holds: () => boolean, meanwhile: () => Promise<void> = () => this.look()): Promise<void> {
    const limit = performance.now() + 60_000
    while (!holds()) {
      if (performance.now() > limit) throw new Fault('CallFailed', `waited a minute in vain until ${what}`)
      await meanwhile()
      await new Promise((done) => setTimeout(done, 2))
    }
  }

  /** Every transaction since the demo began, in order. */
  async sent(): Promise<readonly Sent[]> {
    const { ethers } = this.#connection
    const newest = await ethers.provider.getBlockNumber()
    const all: Sent[] = []
    for (let number = this.#started + 1; number <= newest; number++) {
      const block = (await ethers.provider.getBlock(number, true))!
      for (const tx of block.prefetchedTransactions) {
        const receipt = (await ethers.provider.getTransactionReceipt(tx.hash))!
        const [from, to] = [tx.from.toLowerCase() as Hex, (tx.to ?? '0x').toLowerCase() as Hex]
        const spent = tx.value + receipt.fee
        all.push({ from, to, verb: await this.#verbOf(to, tx.data), gas: receipt.gasUsed, spent })
      }
    }
    return all
  }

  async #verbOf(to: Hex, data: string): Promise<string> {
    const { adjudicator, rootChain } = this.addresses
    if (to !== adjudicator && to !== rootChain) return to === '0x' ? 'deploy' : 'other'
    const name = to === adjudicator ? 'Adjudicator' : 'RootChain'
    const { interface: abi } = await this.#connection.ethers.getContractFactory(name)
    return `${name}.${abi.parseTransaction({ data })?.name ?? '?'}`
  }

  /** Remembers what is to be ended when the town is left, whatever happens until then. */
  atEnd(end: () => unknown): void {
    this.#ends.push(end)
  }

  /** Ends everything, what began last first. */
  async leave(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end()
  }
}

/** The people of the demo, as local accounts. */
export const people = {
  alice: localAccount(1),
  bob: localAccount(2),
  tower: localAccount(3),
  operator: localAccount(4),
  watcher: localAccount(5),
  ursula: localAccount(6),
  victor: localAccount(7),
  wanda: localAccount(8),
} as const
