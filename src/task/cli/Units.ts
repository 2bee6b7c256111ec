import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { ETHER, type Hex } from '../../core/base/Bytes.ts'
import type { Node } from '../../edge/chain/Node.ts'
import { ETH, isEtherName, isSymbol, type Unit } from './Money.ts'
import type { Config, Home } from './Settings.ts'

type Known = Readonly<Record<string, { readonly symbol: string; readonly decimals: number }>>

/** The unit of an asset if it needs no question: ether's, or a token's that was asked for before. */
export function knownUnit(home: Pick<Home, 'units'>, chainId: number, asset: Hex): Unit | undefined {
  if (asset === ETHER) return ETH
  const had = read(home.units)[`${chainId}/${asset}`]
  return had && { asset, ...had }
}

/** The unit of an asset: ether's is known, a token's is asked of the chain once and kept in the node's folder. */
export async function unitOf(
  home: Pick<Home, 'units'>,
  { rpc, chainId }: Pick<Config, 'rpc' | 'chainId'>,
  asset: Hex,
): Promise<Unit> {
  const known = knownUnit(home, chainId, asset)
  if (known) return known
  const { httpNode } = await import('../../edge/chain/Node.ts')
  const node = await httpNode(rpc, BigInt(chainId))
  try {
    const unit = await unitOn(node, asset)
    const { symbol, decimals } = unit
    keep(home.units, { ...read(home.units), [`${chainId}/${asset}`]: { symbol, decimals } })
    return unit
  } finally {
    node.destroy()
  }
}

/** The unit of an asset as the chain tells it; a token without a name that can be shown goes by its address. */
export async function unitOn(node: Node, asset: Hex): Promise<Unit> {
  if (asset === ETHER) return ETH
  const { tokenWords } = await import('../../edge/chain/Token.ts')
  const { symbol, decimals } = await tokenWords(node, asset)
  return { asset, symbol: isSymbol(symbol) && !isEtherName(symbol) ? symbol : `of-${asset.slice(0, 10)}`, decimals }
}

/** What is not readable is asked again: the file only saves a question. */
function read(file: string): Known {
  try {
    return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Known) : {}
  } catch {
    return {}
  }
}

function keep(file: string, known: Known): void {
  const draft = `${file}.${process.pid}.new`
  writeFileSync(draft, `${JSON.stringify(known, null, 2)}\n`)
  renameSync(draft, file)
}
