import { expect } from 'chai'
import { ETHER, type Hex, uint } from '../../src/core/base/Bytes.ts'
import { compact, sign } from '../../src/core/base/Signature.ts'
import { Refusal, type Row } from '../../src/core/base/Step.ts'
import { type Child, headerDigest } from '../../src/core/plasma/Block.ts'
import { chainId } from '../../src/core/plasma/Chain.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import type { Store } from '../../src/edge/store/Store.ts'
import type { Operator } from '../../src/role/Operator.ts'
import type { Wallet } from '../../src/role/Wallet.ts'
import { HostileRoot, keyOf, PATHS, served, Tree } from './plasmaTree.ts'
import { DEPTH, DOMAIN, through } from './plasmaWorld.ts'

const ONE = 10n ** 18n
const SLOT = PATHS.child[1].slot
const ID = chainId(PATHS.child[1])

interface Scene {
  readonly tree: Tree
  readonly root: HostileRoot
  readonly child: Operator
  readonly payer: Wallet
  readonly payee: Wallet
}

/** A child whose root-level operator is hostile, and two users of it, one with an ether. */
async function under(store: Store = memoryStore()): Promise<Scene> {
  const tree = new Tree()
  const root = new HostileRoot(tree)
  await root.begin()
  const child = tree.run(PATHS.child, root.api, store)
  await tree.mine(2 * DEPTH + 2)
  const api = served(child, async (number) => root.opened(SLOT, number))
  const [payer, payee] = [tree.user(1, PATHS.child, api), tree.user(2, PATHS.child, api)]
  await tree.mine()
  const deposit = payer.deposit(ETHER, ONE)
  await tree.mine(DEPTH + 2)
  await deposit
  return { tree, root, child, payer, payee }
}

async function halted(child: Operator): Promise<string | null> {
  return (await through(child).status()).halted
}

async function pay({ payer, payee }: Scene, value = 1n): Promise<void> {
  await payer.pay(ETHER, [{ owner: payee.owner, value }])
}

/** Whatever a child signed: for a number and a second one header at most, and numbers only ever rise. */
function expectOneHeader(tree: Tree): void {
  const byPlace = new Map<string, Hex>()
  for (const { chain, number, asOf, header } of tree.offers) {
    const place = `${chain}/${number}/${asOf}`
    expect(byPlace.get(place) ?? header, place).to.equal(header)
    byPlace.set(place, header)
  }
}

describe('A child chain under a hostile parent', () => {
  it('is left out, says that it halts, is shown the empty slot, and has its payments in a later block', async () => {
    const scene = await under()
    const { tree, root, child, payee } = scene
    await pay(scene)
    const first = await root.collect(child)
    expect(await halted(child)).to.match(/Block 1 is signed as of .* layer 1 may still have it until/)
    root.closed.add(1)
    await root.commit([], first.asOf)
    expect(await halted(child)).to.match(/Block 1 is signed, and its slot is not opened/)
    await root.collect(child)
    expect(root.collected, 'nothing else is signed in doubt').to.deep.equal([])
    root.closed.clear()
    await tree.mine()
    expect(await halted(child)).to.equal(null)
    const second = await root.collect(child)
    await root.commit(root.collected, second.asOf)
    expect([payee.balance(ETHER), child.state.committed]).to.deep.equal([1n, 2])
    expectOneHeader(tree)
    expect([tree.dropped, tree.failures]).to.deep.equal([[], []])
    tree.stop()
  })

  it('signs again once its number is final with another view of layer 1, without being shown anything', async () => {
    const scene = await under()
    const { tree, root, child } = scene
    await pay(scene)
    const first = await root.collect(child)
    const stale = root.collected
    root.closed.add(1)
    // What it signed for the first view is void under another one, though the parent puts it there.
    await root.commit(stale, first.asOf + 12)
    expect(await halted(child)).to.equal(null)
    root.closed.clear()
    await tree.mine()
    const second = await root.collect(child)
    await root.commit(root.collected, second.asOf)
    expect([scene.payee.balance(ETHER), scene.payer.state.follower.bad]).to.deep.equal([1n, undefined])
    tree.stop()
  })

  it('signs again once layer 1 is finally later than its margin and has not its number, and not a second before', async () => {
    const scene = await under()
    const { tree, root, child } = scene
    await pay(scene)
    const { asOf } = await root.collect(child)
    const [first] = root.collected
    tree.l1.mine(asOf + 3600)
    await tree.mine(DEPTH)
    expect(child.state.view.time, 'the margin itself is final').to.equal(asOf + 3600)
    await root.collect(child)
    expect(root.collected, 'what it has signed, and nothing else').to.deep.equal([first])
    await tree.mine()
    const again = await root.collect(child)
    const [second] = root.collected
    expect([again.number, second!.r === first!.r]).to.deep.equal([1, false])
    await root.commit(root.collected, again.asOf)
    expect(scene.payee.balance(ETHER)).to.equal(1n)
    expectOneHeader(tree)
    tree.stop()
  })

  it('is not harmed by headers that it did not sign: they are void for ever, for everybody', async () => {
    const scene = await under()
    const { tree, root, child, payer, payee } = scene
    await pay(scene)
    const forge = (by: Hex, number: number, asOf: number): Child => {
      const header = uint(7, 32)
      const signature = compact(sign(headerDigest(DOMAIN, ID, number, asOf, header), by))
      return { slot: SLOT, header, r: `0x${signature.slice(2, 66)}`, vs: `0x${signature.slice(66)}` }
    }
    const first = await root.collect(child)
    await root.commit([forge(keyOf(PATHS.root[0]), first.number, first.asOf)], first.asOf)
    const second = await root.collect(child)
    // Its own key, but for a number before: what it signs is for one number and one view only.
    await root.commit([forge(keyOf(PATHS.child[1]), 1, second.asOf)], second.asOf)
    const third = await root.collect(child)
    await root.commit(root.collected, third.asOf)
    expect([payer.state.follower.bad, payee.balance(ETHER)]).to.deep.equal([undefined, 1n])
    expect([await halted(child), tree.failures]).to.deep.equal([null, []])
    tree.stop()
  })

  it('is bad for its users once nobody has opened its slot for the alarm, and they leave', async () => {
    const scene = await under()
    const { tree, root, child, payer } = scene
    const watcher = tree.guard(
      PATHS.child,
      served(child, async (number) => root.opened(SLOT, number)),
    )
    await pay(scene)
    await root.collect(child)
    await tree.mine(1)
    root.closed.add(1)
    await root.commit(root.collected, tree.l1.head().time - 12 * DEPTH)
    await tree.pass(5 * 3600)
    await tree.mine(2)
    expect([payer.state.follower.bad, tree.alarms]).to.deep.equal([undefined, []])
    await tree.pass(6 * 3600)
    await tree.mine(3)
    expect(payer.state.follower.bad?.code).to.equal('UnopenedSlot')
    expect(watcher.state.follower.bad?.number).to.equal(1)
    expect(tree.alarms.map(({ name }) => name)).to.deep.equal(['UnopenedSlot'])
    // It stays bad, though the parent opens it then.
    root.closed.clear()
    await tree.mine(3)
    expect(payer.state.follower.bad?.number).to.equal(1)
    tree.stop()
  })

  it('is bad by its own withheld block, which its opened slot shows that there is', async () => {
    const scene = await under()
    const { tree, root, child } = scene
    const silent = { ...through(child), block: (n: number) => Promise.reject(new Refusal('UnknownBlock', n)) }
    const watcher = tree.guard(PATHS.child, { ...silent, openings: async (number) => root.opened(SLOT, number) })
    await pay(scene)
    const { asOf } = await root.collect(child)
    await root.commit(root.collected, asOf)
    await tree.pass(7 * 3600)
    await tree.mine(3)
    expect(watcher.state.follower.bad?.code).to.equal('WithheldBlock')
    tree.stop()
  })

  it('stops if a block of it is anchored that its store has not signed', async () => {
    const scene = await under()
    const { tree, root, child } = scene
    const { number, asOf } = await root.collect(child)
    const header = uint(7, 32)
    const signature = compact(sign(headerDigest(DOMAIN, ID, number, asOf, header), keyOf(PATHS.child[1])))
    const foreign = { slot: SLOT, header, r: `0x${signature.slice(2, 66)}`, vs: `0x${signature.slice(66)}` } as const
    await root.commit([foreign], asOf)
    expect(tree.failures.map((why) => (why as Refusal).code)).to.deep.equal(['ForeignHeader'])
    tree.stop()
  })

  it('signs nothing for a number that is gone, a view that it has not seen, or one before its last', async () => {
    const scene = await under()
    const { tree, root, child } = scene
    await pay(scene)
    await root.commit([], tree.l1.head().time - 12 * DEPTH)
    const head = tree.l1.head().time
    const last = tree.commits.at(-1)!.asOf
    for (const tender of [
      { number: 1, asOf: head - 12 * DEPTH },
      { number: 2, asOf: head },
      { number: 2, asOf: last - 1 },
      { number: 1000, asOf: head - 12 * DEPTH },
    ]) {
      root.tender = tender
      await tree.tick(child)
      expect(tree.offers, `${tender.number} as of ${tender.asOf}`).to.deep.equal([])
    }
    tree.stop()
  })

  it('takes as of the tender what can be taken, and what came too early in the block after it', async () => {
    const scene = await under()
    const { tree, root, child, payer, payee } = scene
    const early = { number: 1, asOf: tree.l1.head().time - 12 * DEPTH }
    const deposit = payer.deposit(ETHER, 5n)
    await tree.mine(DEPTH + 2)
    await deposit
    // Both are acknowledged; the second spends what the tender's view does not have.
    await payer.pay(ETHER, [{ owner: payee.owner, value: ONE }])
    await payer.pay(ETHER, [{ owner: payee.owner, value: 5n }])
    root.tender = early
    await tree.tick(child)
    root.tender = null
    await root.commit(root.collected, early.asOf)
    expect(payee.balance(ETHER)).to.equal(ONE)
    const later = await root.collect(child)
    await root.commit(root.collected, later.asOf)
    expect([payee.balance(ETHER), tree.dropped]).to.deep.equal([ONE + 5n, []])
    tree.stop()
  })

  it('never signs twice, killed at any commit of its store, and loses nothing that it acknowledged', async () => {
    let alive = 0
    for (let at = 8; alive < 2; at += 2) {
      for (const after of [false, true]) {
        const inner = memoryStore()
        const scene = await under(mortal(inner, at, after))
        const { tree, root } = scene
        let { child } = scene
        let acknowledged = 0n
        for (let round = 0; round < 3; round++) {
          await pay(scene).then(
            () => {
              acknowledged += 1n
            },
            () => {},
          )
          const { asOf } = await root.collect(child)
          // The second is left out, the third not opened before the end.
          if (round === 2) root.closed.add(3)
          await root.commit(round === 1 ? [] : root.collected, asOf)
          if (tree.failures.splice(0).length === 0) continue
          child = tree.run(PATHS.child, root.api, inner)
          const api = served(child, async (number) => root.opened(SLOT, number))
          scene.payer.stop()
          Object.assign(scene, { payer: tree.user(1, PATHS.child, api), child })
          await tree.mine(DEPTH + 2)
        }
        if (child === tree.operators[0]) alive++
        root.closed.clear()
        await tree.mine(2)
        for (let i = 0; i < 2; i++) {
          const { asOf } = await root.collect(child)
          await root.commit(root.collected, asOf)
        }
        expectOneHeader(tree)
        if (tree.failures.splice(0).length > 0) continue
        const watcher = tree.guard(
          PATHS.child,
          served(child, async (number) => root.opened(SLOT, number)),
        )
        await tree.mine(8)
        const { bad, commits } = watcher.state.follower
        expect([bad, commits.length, tree.failures], `killed ${after ? 'after' : 'before'} ${at}`).to.deep.equal([
          undefined,
          0,
          [],
        ])
        expect(scene.payee.balance(ETHER) >= acknowledged).to.equal(true)
        tree.stop()
      }
    }
  })
})

class Killed extends Error {}

/** A store whose process is killed at its n-th commit: just before it is durable, or just after. */
function mortal(inner: Store, at: number, after: boolean): Store {
  let count = 0
  return {
    ...inner,
    commit(rows: readonly Row[]) {
      const dies = count++ === at
      if (!dies || after) inner.commit(rows)
      if (dies) throw new Killed('killed')
    },
  }
}
