import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { network } from 'hardhat'
import { ETHER, type Hex, uint } from '../../src/core/base/Bytes.ts'
import type { SignedState } from '../../src/core/channel/Call.ts'
import type { Channel } from '../../src/core/channel/Channel.ts'
import { channelChain } from '../../src/edge/chain/ChannelChain.ts'
import { localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import { openStore } from '../../src/edge/store/Sqlite.ts'
import { tcpTransport } from '../../src/edge/transport/Tcp.ts'
import { ChannelNode } from '../../src/role/ChannelNode.ts'
import type { ChannelNodeParts } from '../../src/role/ChannelNodeParts.ts'
import { Watchtower, type WatchtowerParts } from '../../src/role/Watchtower.ts'
import { Adjudicator__factory, Token__factory } from '../../typechain-types/index.ts'

const FUNDS = 10n ** 18n
const PAYMENTS = 400

/** The contract on Hardhat's chain, SQLite files and TCP: everything real. */
async function stage(folder: string) {
  const { ethers, networkHelpers } = await network.create()
  const signers = await ethers.getSigners()
  const court = (await (await new Adjudicator__factory(signers[4]!).deploy()).getAddress()).toLowerCase() as Hex
  const token = await new Token__factory(signers[4]!).deploy()
  const asset = (await token.getAddress()).toLowerCase() as Hex
  for (const who of [0, 1]) await token.mint(localAccount(who).address, FUNDS)
  const provider = ethers.provider as never
  const chain = (who: number) => channelChain({ provider, signer: signers[who]!, court, interval: 5 })
  const store = (name: string) => openStore(join(folder, `${name}.db`), name)
  const node = async (who: number, change: Partial<ChannelNodeParts> = {}) => {
    const file = store(`node${who}`)
    const parts = { key: localAccount(who).key, store: file, chain: await chain(who), transport: tcpTransport() }
    const started = await ChannelNode.start({
      ...parts,
      confirmations: 1,
      retry: (run) => setTimeout(run, 20).unref(),
      ...change,
    })
    return Object.assign(started, { store: file })
  }
  const tower = async (onAnswer: WatchtowerParts['onAnswer'] & object) =>
    Watchtower.start({ store: store('tower'), chain: await chain(2), confirmations: 1, onAnswer })
  const balance = async (of: Hex, who: number) => {
    const { address } = localAccount(who)
    return of === ETHER ? ethers.provider.getBalance(address) : token.balanceOf(address)
  }
  return { asset, node, tower, chain, balance, pass: (seconds: number) => networkHelpers.time.increase(seconds) }
}

function terms(asset: Hex): Channel {
  const party = (who: number) => ({ owner: localAccount(who).address, signer: localAccount(who).address })
  return { a: party(0), b: party(1), asset, challengePeriod: 3600, bond: 0n, salt: uint(1, 32) }
}

describe('ChannelNode on a real chain, with real files and sockets', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kerros-channel-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true })
  })

  for (const variant of ['ether', 'token'] as const) {
    it(`pays, is robbed by an old state, is saved by its watchtower and paid exactly (${variant})`, async () => {
      const w = await stage(folder)
      let save: (version: bigint) => void
      const saved = new Promise<bigint>((done) => {
        save = done
      })
      const tower = await w.tower((_id, version) => save(version))
      const shown: Promise<void>[] = []
      const old: SignedState[] = []
      const x = await w.node(0, { onComplete: (channel, state) => shown.push(tower.watch(channel, state)) })
      const y = await w.node(1, { onComplete: (_channel, state) => old.push(state) })
      const address = await y.listen('127.0.0.1:0')
      const asset = variant === 'ether' ? ETHER : w.asset
      const held = (who: number) => w.balance(asset, who)
      const channel = terms(asset)
      const [id] = await Promise.all([x.open(channel, address), y.open(channel)])
      await Promise.all([x.deposit(id, FUNDS), y.deposit(id, FUNDS)])
      const funded = (one: ChannelNode) => one.until(id, ({ available }) => available === FUNDS)
      await Promise.all([funded(x), funded(y)])
      await x.pay(id, 7n)
      const payments = Array.from({ length: PAYMENTS }, (_, i) => (i % 2 === 0 ? y : x).pay(id, i % 2 === 0 ? 3n : 1n))
      await Promise.all(payments)
      const net = 7n - BigInt(PAYMENTS)
      await Promise.all([x, y].map((one) => one.until(id, (status) => status.net === net)))
      await Promise.all(shown)
      await x.stop()
      await y.stop()
      const thief = await w.chain(1)
      await thief.send({ verb: 'challenge', channel, state: old[0]! })
      expect(await saved).to.equal(x.status(id).version)
      await w.pass(3601)
      const before = await Promise.all([0, 1].map(held))
      await (await w.chain(3)).send({ verb: 'settle', channel, locks: '0x' })
      const paid = (await Promise.all([0, 1].map(held))).map((now, who) => now - before[who]!)
      expect(paid).to.deep.equal([FUNDS - net, FUNDS + net])
      tower.stop()
    })
  }

  it('closes by agreement in one transaction, and goes on with its files after a stop', async () => {
    const w = await stage(folder)
    const x = await w.node(0)
    let y = await w.node(1)
    const channel = terms(ETHER)
    const address = await y.listen('127.0.0.1:0')
    const [id] = await Promise.all([x.open(channel, address), y.open(channel)])
    await x.deposit(id, FUNDS)
    await x.until(id, ({ available }) => available === FUNDS)
    await x.pay(id, 5n, { memo: '0x2a' })
    await y.until(id, ({ net }) => net === 5n)
    await y.stop()
    y.store.close()
    y = await w.node(1)
    expect(y.status(id).net).to.equal(5n)
    await y.listen(address)
    const { closed } = await y.close(id)
    expect(closed).to.deep.equal({ payA: FUNDS - 5n, payB: 5n })
    await x.until(id, ({ phase }) => phase === 'closed')
    await Promise.all([x.stop(), y.stop()])
  })
})
