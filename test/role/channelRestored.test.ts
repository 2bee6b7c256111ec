import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { ETHER } from '../../src/core/base/Bytes.ts'
import { openMarked } from '../../src/edge/store/Generation.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import type { Store } from '../../src/edge/store/Store.ts'
import { ChannelNode } from '../../src/role/ChannelNode.ts'
import { finish, mineUntil, type Person, person, terms, type World, world } from '../world.ts'

const [alice, bob] = [person(1), person(2)]
const FUNDS = 1_000_000n

async function node(w: World, who: Person, store: Store, restored = false): Promise<ChannelNode> {
  const [schedule, chain] = [w.scheduler.lane(), w.court.connect(who.owner, w.scheduler.lane())]
  const edges = { store, chain, transport: w.transport, schedule, retry: w.scheduler.later }
  return finish(w, ChannelNode.start({ key: who.key, confirmations: 2, restored, ...edges }))
}

describe('ChannelNode on a store file with a marker', () => {
  let folder: string
  const at = (name: string) => join(folder, name)
  const open = () => openMarked(at('node.db'), at('node.generation'), 'bob')

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kerros-restored-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true })
  })

  for (const crashes of [false, true]) {
    const when = crashes ? ', though it crashes right after it has noticed' : ''
    it(`notices an older backup that was put back, signs nothing new and is paid all that it had${when}`, async () => {
      const w = world(31)
      const x = await node(w, alice, memoryStore())
      let marked = open()
      let y = await node(w, bob, marked.store, marked.isRestored)
      for (const { owner } of [alice, bob]) w.l1.money.mint(ETHER, owner, FUNDS)
      const channel = terms(alice, bob)
      const address = await y.listen('bob')
      const [id] = await finish(w, Promise.all([x.open(channel, address), y.open(channel)]))
      await mineUntil(w, Promise.all([x.deposit(id, FUNDS), y.deposit(id, FUNDS)]))
      await mineUntil(
        w,
        x.until(id, ({ available }) => available === FUNDS),
      )
      await finish(w, x.pay(id, 10n))

      const stop = async () => {
        await y.stop()
        marked.store.close()
      }
      await stop()
      cpSync(at('node.db'), at('backup.db'))
      marked = open()
      expect(marked.isRestored).to.equal(false)
      y = await node(w, bob, marked.store)
      await y.listen('bob')
      await finish(w, x.pay(id, 500n))
      await stop()

      cpSync(at('backup.db'), at('node.db'))
      marked = open()
      expect(marked.isRestored).to.equal(true)
      y = await node(w, bob, marked.store, marked.isRestored)
      if (crashes) {
        await stop()
        marked = open()
        expect(marked.isRestored).to.equal(false) // said once: the node keeps it
        y = await node(w, bob, marked.store, marked.isRestored)
      }
      await y.listen('bob')
      const refusal = await finish(
        w,
        y.pay(id, 1n).catch(({ code }) => code),
      )
      expect(refusal).to.equal('RestoredCopy')
      await mineUntil(
        w,
        y.until(id, ({ phase }) => phase === 'closed'),
      )
      expect(w.l1.money.balance(ETHER, bob.owner)).to.equal(FUNDS + 510n)
      await stop()
    })
  }
})
