// A process of its own, to be killed: a tower with a durable store, and a layer 1 in memory on which bob challenges
// without any state as soon as the tower has started. It prints its address, and each version that it answers with.
import { writeSync } from 'node:fs'
import { domain } from '../../src/core/base/Signature.ts'
import { adjudicate } from '../../src/core/channel/Adjudicator.ts'
import { callValue } from '../../src/core/channel/Funding.ts'
import { newCourt } from '../../src/core/channel/Record.ts'
import { simulatedL1 } from '../../src/edge/chain/SimulatedL1.ts'
import { openStore } from '../../src/edge/store/Sqlite.ts'
import { tcpTransport } from '../../src/edge/transport/Tcp.ts'
import { serveTower } from '../../src/role/TowerServer.ts'
import { Watchtower } from '../../src/role/Watchtower.ts'
import { alice, bob, carol, channelOf } from './towerStage.ts'

/** The address of the court on every simulated chain of this test. */
export const COURT = `0x${'c0'.repeat(20)}` as const
/** The word that lets in. */
export const TOKEN = 'let me in'

async function run(path: string, stolen: number, address: string): Promise<void> {
  const l1 = simulatedL1({ automine: true })
  const court = l1.deploy(COURT, adjudicate, newCourt(domain(l1.chainId, COURT)), callValue)
  const onAnswer = (id: string, version: bigint) => void writeSync(1, `answered ${id} ${version}\n`)
  const store = openStore(path, 'tower of the kill test')
  const tower = await Watchtower.start({ store, chain: court.connect(carol.owner), onAnswer })
  const tokens = new Map([[TOKEN, 'alice']])
  const listener = await serveTower({ tower, transport: tcpTransport(), address, tokens })
  writeSync(1, `address ${listener.address}\n`)
  if (stolen === 0) return
  for (let number = 1; number <= stolen; number++) {
    const nothing = {
      version: 0n,
      net: 0n,
      batch: `0x${'00'.repeat(32)}`,
      locks: '0x',
      sigA: '0x',
      sigB: '0x',
    } as const
    await court.connect(bob.owner).send({ verb: 'challenge', channel: channelOf(number), state: nothing })
  }
  writeSync(1, `stolen ${alice.owner}\n`)
}

if (process.argv[1]?.endsWith('tower.child.ts')) {
  const [path, stolen, address] = process.argv.slice(2)
  await run(path!, Number(stolen), address ?? '127.0.0.1:0')
}
