import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { network } from 'hardhat'
import { ETHER, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { compact, domain, sign } from '../../src/core/base/Signature.ts'
import { Refusal } from '../../src/core/base/Step.ts'
import { type Child, header, headerDigest, rootOfChildren, txRoot } from '../../src/core/plasma/Block.ts'
import { type Chain, chainId, ownOf, registrationDigest } from '../../src/core/plasma/Chain.ts'
import { OWN_PERMIT } from '../../src/core/plasma/Exit.ts'
import { exitCall } from '../../src/core/plasma/Held.ts'
import { openingOf } from '../../src/core/plasma/Opening.ts'
import { freeOf, heldBy } from '../../src/core/plasma/Purse.ts'
import { localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import type { Node } from '../../src/edge/chain/Node.ts'
import { plasmaChain } from '../../src/edge/chain/PlasmaChain.ts'
import { serveHttp } from '../../src/edge/http/Http.ts'
import type { OperatorApi, ParentApi } from '../../src/edge/http/OperatorApi.ts'
import { operatorClient } from '../../src/edge/http/OperatorClient.ts'
import { operatorHandler } from '../../src/edge/http/OperatorServer.ts'
import { openStore } from '../../src/edge/store/Sqlite.ts'
import { Operator } from '../../src/role/Operator.ts'
import { Wallet } from '../../src/role/Wallet.ts'
import { Watcher } from '../../src/role/Watcher.ts'
import { deployRootChain, MFP, until } from './plasmaReal.ts'

const _GWEI = 10n ** 9n
const ONE = 10n ** 18n

const open: (() => unknown)[] = []

describe('A tree of chains on the real contract, over HTTP and SQLite', () => {
  after(async () => {
    for (const close of open.reverse()) await close()
  })

  it('pays on a child and a grandchild, challenges at both, passes lost and forged slots, and lets all leave', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kerros-tree-'))
    open.push(() => rmSync(folder, { recursive: true }))
    const { ethers } = await network.create()
    const provider = ethers.provider as unknown as Node
    const signers = await ethers.getSigners()
    const { contract, court } = await deployRootChain(signers[9]!)
    const connect = (n: number) => plasmaChain({ provider, signer: signers[n]!, court, interval: 5 })
    const failures: unknown[] = []
    const onFailure = (why: unknown) => failures.push(why)
    const store = (name: string) => {
      const made = openStore(join(folder, `${name}.db`), name)
      open.push(() => made.close())
      return made
    }
    const root: Chain = { parent: ZERO, slot: 0, operator: localAccount(0).address }
    const child: Chain = { parent: chainId(root), slot: 255, operator: localAccount(1).address }
    const grand: Chain = { parent: chainId(child), slot: 1, operator: localAccount(2).address }
    const eip712 = domain((await connect(0)).chainId, court)

    // A root-level chain, its child and its grandchild, each behind HTTP.
    const run = async (n: number, path: readonly Chain[], parent?: ParentApi) => {
      const consent = path.length > 1 && sign(registrationDigest(eip712, ownOf(path)), localAccount(n - 1).key)
      const secrets = consent ? { key: localAccount(n).key, consent } : {}
      const params = { path, depth: 0, margin: 3600, fees: [], maxTransactions: 1000, ...secrets }
      const parts = { l1: await connect(n), store: store(`operator-${n}`), params, onFailure }
      const interval = n === 0 ? 60 : 10
      const operator = new Operator({ ...parts, from: 0, interval, ...(parent && { parent }) })
      open.push(() => operator.stop())
      const server = await serveHttp(operatorHandler(operator.api))
      open.push(() => server.close())
      await until(`chain ${n} is registered`, () => operator.state.registered)
      return { operator, api: operatorClient(server.url) }
    }
    const first = await run(0, [root])
    const foreign = new Map<number, readonly Child[]>()
    const above: ParentApi = {
      ...first.api,
      openingsOf: async (slot, number) => {
        const children = foreign.get(number)
        return children ? [openingOf(txRoot([]), children, slot)] : first.api.openingsOf(slot, number)
      },
    }
    const second = await run(1, [root, child], above)
    const third = await run(2, [root, child, grand], second.api)

    const following = { from: 0, interval: 20, onFailure, depth: 0, patience: 3600 }
    const wallet = async (n: number, path: readonly Chain[], operator: OperatorApi) => {
      const l1 = await connect(n)
      const params = { path, key: localAccount(n).key, life: 50, depth: 0, patience: 3600, guard: false }
      const made = new Wallet({ ...following, l1, operator, params, store: store(`wallet-${n}`) })
      open.push(() => made.stop())
      await until('synced', () => made.state.follower.goal !== undefined)
      return { wallet: made, l1 }
    }
    const [carol, dave] = [await wallet(3, [root, child], second.api), await wallet(4, [root, child], second.api)]
    const [alice, bob] = [
      await wallet(5, [root, child, grand], third.api),
      await wallet(6, [root, child, grand], third.api),
    ]
    const alarms: { readonly name: string }[] = []
    const watch = async (n: number, path: readonly Chain[], operator: OperatorApi) => {
      const onAlarm = (alarm: { readonly name: string }) => alarms.push(alarm)
      const parts = { l1: await connect(n), store: store(`watcher-${n}`), operator, path, warning: 3600, onAlarm }
      const made = new Watcher({ ...following, ...parts })
      open.push(() => made.stop())
      return made
    }
    await watch(7, [root, child], second.api)
    await watch(8, [root, child, grand], third.api)

    // Each payer pays all it has twice, and tries to leave with what it has spent.
    const pairs = [
      [carol, dave, [root, child]],
      [alice, bob, [root, child, grand]],
    ] as const
    for (const [payer, payee, path] of pairs) {
      await payer.wallet.deposit(ETHER, ONE)
      await until('the deposit counts', () => payer.wallet.balance(ETHER) === ONE)
      await payer.wallet.pay(ETHER, [{ owner: payer.wallet.owner, value: ONE }])
      await until('it is paid to itself', () => freeOf(payer.wallet.state, ETHER)[0]?.proof.kind === 'output')
      const [spent] = freeOf(payer.wallet.state, ETHER)
      await payer.wallet.pay(ETHER, [{ owner: payee.wallet.owner, value: ONE }])
      await until('the payee has it', () => payee.wallet.balance(ETHER) === ONE)
      await payer.l1.send(exitCall(path, spent!.proof, OWN_PERMIT))
    }
    const challenged = () => contract.queryFilter(contract.filters.ExitChallenged())
    await until('both are challenged', async () => (await challenged()).length === 2)
    const by = (await challenged()).map((event) => event.args.challenger.toLowerCase())
    expect(by).to.have.members([localAccount(7).address, localAccount(8).address])

    // The root's operator leaves the child out, then forges a header: both pass, nobody is harmed.
    await until('nothing is in doubt', () => second.operator.state.sealed.length === 0)
    first.operator.stop()
    const l1 = await connect(0)
    const forged = { slot: child.slot, header: uint(7, 32), r: uint(1, 32), vs: uint(2, 32) }
    const asOf = Number((await ethers.provider.getBlock('latest'))!.timestamp)
    const last = first.operator.state.committed
    const digest = headerDigest(eip712, chainId(child), last + 2, asOf, forged.header)
    const signature = compact(sign(digest, localAccount(0).key))
    const signed = { ...forged, r: `0x${signature.slice(2, 66)}`, vs: `0x${signature.slice(66)}` } as const
    for (const [i, children] of [[], [signed]].entries()) {
      foreign.set(last + 1 + i, children)
      const head = header(txRoot([]), rootOfChildren(children))
      await l1.send({ verb: 'commit', chain: root, number: last + 1 + i, header: head, asOf })
    }
    await until('both numbers are passed', () =>
      [dave, bob].every((one) => one.wallet.state.follower.ledger.number === last + 3),
    )

    // Everybody who runs a chain is gone for ever; what was paid leaves all the same.
    for (const { operator } of [second, third]) operator.stop()
    for (const [, payee] of pairs) {
      const [coin] = heldBy(payee.wallet.state)
      await payee.wallet.leave(coin!.id)
    }
    await provider.send('evm_increaseTime', [2 * MFP])
    await provider.send('evm_mine', [])
    for (const [, payee] of pairs) {
      await until('the payee sees that', async () => payee.wallet.state.follower.view.next > (await l1.head()))
      await payee.wallet.process(ETHER, payee.wallet.state.follower.view.time)
      await until('it is paid', () => heldBy(payee.wallet.state).length === 0)
    }
    const paid = await contract.queryFilter(contract.filters.ExitPaid())
    expect(paid.map((event) => event.args.amount)).to.deep.equal([ONE, ONE])
    for (const path of [
      [root, child],
      [root, child, grand],
    ]) {
      // What is left are the chain's halves of the forfeited bonds.
      const [exit] = (await contract.queryFilter(contract.filters.ExitStarted())).filter(
        (event) => event.args.exit.chain === chainId(ownOf(path)),
      )
      expect(await contract.pots(chainId(ownOf(path)), ETHER)).to.equal(exit!.args.exit.bond / 2n)
    }
    expect(failures.filter((why) => !(why instanceof Refusal && why.code === 'ForeignHeader'))).to.deep.equal([])
    expect(new Set(alarms.map(({ name }) => name))).to.deep.equal(new Set(['InvalidExit']))
  })
})
