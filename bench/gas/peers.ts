import { peerChain } from '../peers/chain.ts'
import { measureNitro } from '../peers/nitro.ts'
import { versionOf } from '../peers/packages.ts'
import { measureVector, VECTOR_PARTIES } from '../peers/vector.ts'
import { type Figures, shown, table } from '../snapshot.ts'

const PACKAGES = { nitro: '@statechannels/nitro-protocol', vector: '@connext/vector-contracts' } as const
const PEERS = ['nitro', 'vector'] as const
const VERBS = ['open', 'deposit', 'conclude', 'challenge', 'answer', 'settle', 'unilateral', 'withdraw']
const ROWS = [...VERBS.flatMap((verb) => [`${verb}.eth`, `${verb}.erc20`]), 'deploy']

/** What one run measured of kerros and of its peers: flat, ready to be saved. */
export type Comparison = Readonly<Record<string, number | string>>

/**
 * `channel.<row>` as given, `peer.<peer>.<row>` measured now on a chain of the same settings with the same amounts,
 * `ratio.<peer>.<row>` = kerros / peer (rounded to thousandths), `peer.<peer>.version`. Rows that a peer has not are
 * left out. The peers' packages have been installed.
 */
export async function compare(kerros: Figures): Promise<Comparison> {
  const content: Record<string, number | string> = {}
  for (const row of ROWS) if (kerros[`channel.${row}`]) content[`channel.${row}`] = kerros[`channel.${row}`]!
  for (const [peer, figures] of Object.entries(await measurePeers())) {
    content[`peer.${peer}.version`] = versionOf(PACKAGES[peer as keyof typeof PACKAGES])
    for (const [row, gas] of Object.entries(figures)) {
      content[`peer.${peer}.${row}`] = gas
      const own = kerros[`channel.${row}`]
      if (own) content[`ratio.${peer}.${row}`] = Math.round((1000 * own) / gas) / 1000
    }
  }
  return content
}

async function measurePeers(): Promise<Readonly<Record<keyof typeof PACKAGES, Figures>>> {
  const measured = []
  for (const measure of [measureNitro, measureVector]) {
    const chain = await peerChain(VECTOR_PARTIES)
    measured.push(await measure(chain))
    await chain.connection.close()
  }
  return { nitro: measured[0]!, vector: measured[1]! }
}

/** The comparison for people: a row a verb, kerros and its peers in gas, and kerros as a share of each peer. */
export function comparisonTable(content: Comparison): string {
  const cell = (key: string, text = shown): string => (typeof content[key] === 'number' ? text(content[key]) : '-')
  const share = (ratio: number): string => ratio.toFixed(2)
  const head = PEERS.map((peer) => `${peer} ${content[`peer.${peer}.version`]}`)
  const rows = ROWS.map((row) => [
    row,
    cell(`channel.${row}`),
    ...PEERS.map((peer) => cell(`peer.${peer}.${row}`)),
    ...PEERS.map((peer) => cell(`ratio.${peer}.${row}`, share)),
  ])
  return table([['gas', 'kerros', ...head, ...PEERS.map((peer) => `kerros/${peer}`)], ...rows])
}
