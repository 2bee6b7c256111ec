// Nitro: one adjudicator for all channels. Every choice that it leaves open is taken as it is cheapest: a small nonce,
// no application (a state that both signed needs none), one supporting state signed by both.
import { AbiCoder, type Contract } from 'ethers'
import { ETHER, type Hex, slice, uint } from '../../src/core/base/Bytes.ts'
import { keccak } from '../../src/core/base/Signature.ts'
import { localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import { call, demand, deploy, PAID, PERIOD, type PeerChain, passPeriod, signPrefixed, UNIT } from './chain.ts'
import { artifactOf } from './packages.ts'

const PACKAGE = '@statechannels/nitro-protocol'
const NO_APPLICATION = ETHER // the zero address
const [alice, bob] = [localAccount(1), localAccount(2)]
const coder = AbiCoder.defaultAbiCoder()

interface Bench {
  readonly chain: PeerChain
  readonly court: Contract
  readonly gas: Record<string, number>
  nonce: number
}

/** A channel's terms as every call repeats them, with its id and what it pays in the end. */
interface Terms {
  readonly fixedPart: readonly [chainId: bigint, parties: readonly Hex[], nonce: number, app: Hex, period: number]
  readonly id: Hex
  readonly outcome: Hex
  readonly asset: Hex
}

/** Gas of Nitro's verbs: open, deposit, conclude, challenge, answer (its checkpoint), settle, unilateral, deploy. */
export async function measureNitro(chain: PeerChain): Promise<Readonly<Record<string, number>>> {
  const path = 'lib/artifacts/contracts/NitroAdjudicator.sol/NitroAdjudicator.json'
  const { contract: court, gas } = await deploy(chain, artifactOf(PACKAGE, path))
  const bench = { chain, court, gas: { deploy: gas }, nonce: 0 }
  const address = await court.getAddress()
  await call(chain, chain.token, localAccount(0), 'mint', [address, UNIT]) // as in use
  for (const party of [alice, bob]) await call(chain, chain.token, party, 'approve', [address, 2n ** 255n])
  for (const [kind, asset] of chain.assets) await measureAsset(bench, kind, asset)
  return bench.gas
}

async function measureAsset(bench: Bench, kind: string, asset: Hex): Promise<void> {
  const { gas } = bench
  gas[`conclude.${kind}`] = await conclude(bench, await open(bench, asset, kind))
  const dispute = await open(bench, asset)
  gas[`challenge.${kind}`] = await challenge(bench, dispute)
  gas[`settle.${kind}`] = await settle(bench, dispute)
  gas[`unilateral.${kind}`] = gas[`challenge.${kind}`]! + gas[`settle.${kind}`]!
  gas[`answer.${kind}`] = await answered(bench, await open(bench, asset))
}

async function open(bench: Bench, asset: Hex, kind?: string): Promise<Terms> {
  const terms = termsOf(asset, ++bench.nonce)
  for (const [key, party, held] of [
    ['open', alice, 0n],
    ['deposit', bob, UNIT],
  ] as const) {
    const value = asset === ETHER ? UNIT : 0n
    const used = await call(bench.chain, bench.court, party, 'deposit', [asset, terms.id, held, UNIT], value)
    if (kind) bench.gas[`${key}.${kind}`] = used
  }
  return terms
}

function termsOf(asset: Hex, nonce: number): Terms {
  const parties = [alice.address, bob.address]
  const id = hashed(['uint256', 'address[]', 'uint256'], [31337n, parties, nonce])
  return { fixedPart: [31337n, parties, nonce, NO_APPLICATION, PERIOD], id, outcome: outcomeOf(asset), asset }
}

function outcomeOf(asset: Hex): Hex {
  const items = [alice, bob].map(({ address }, i) => [uint(BigInt(address), 32), PAID[i]])
  const allocation = coder.encode(['tuple(bytes32, uint256)[]'], [items])
  const assetOutcome = coder.encode(['tuple(uint8, bytes)'], [[0, allocation]])
  return coder.encode(['tuple(address, bytes)[]'], [[[asset, assetOutcome]]]) as Hex
}

function hashed(types: readonly string[], values: readonly unknown[]): Hex {
  return keccak(coder.encode(types, values) as Hex)
}

const APPLICATION = hashed(['uint256', 'address', 'bytes'], [PERIOD, NO_APPLICATION, '0x'])

function stateHash({ id, outcome }: Terms, turn: number, isFinal: boolean): Hex {
  const types = ['uint256', 'bool', 'bytes32', 'bytes32', 'bytes32']
  return hashed(types, [turn, isFinal, id, APPLICATION, keccak(outcome)])
}

function signatures(hash: Hex, parties = [alice, bob]): readonly (readonly [v: number, r: Hex, s: Hex])[] {
  return parties.map((party) => {
    const made = signPrefixed('\x19Ethereum Signed Message:\n32', hash, party)
    return [Number(slice(made, 64)), slice(made, 0, 32), slice(made, 32, 64)] as const
  })
}

async function conclude(bench: Bench, terms: Terms): Promise<number> {
  const signed = signatures(stateHash(terms, 9, true))
  const args = [9, terms.fixedPart, APPLICATION, terms.outcome, 1, [0, 0], signed]
  const used = await call(bench.chain, bench.court, alice, 'concludeAndTransferAllAssets', args)
  await demandEmpty(bench, terms)
  return used
}

async function challenge(bench: Bench, terms: Terms): Promise<number> {
  const hash = stateHash(terms, 5, false)
  const [own] = signatures(hashed(['bytes32', 'string'], [hash, 'forceMove']), [alice])
  const args = [terms.fixedPart, 5, [[terms.outcome, '0x']], 0, signatures(hash), [0, 0], own]
  return call(bench.chain, bench.court, alice, 'challenge', args)
}

async function answered(bench: Bench, terms: Terms): Promise<number> {
  await challenge(bench, terms)
  const args = [terms.fixedPart, 9, [[terms.outcome, '0x']], 0, signatures(stateHash(terms, 9, false)), [0, 0]]
  const used = await call(bench.chain, bench.court, bob, 'checkpoint', args)
  const [turn] = (await bench.court.getFunction('unpackStatus')(terms.id)) as readonly [bigint]
  demand('the answered turn', turn, 9n)
  return used
}

async function settle(bench: Bench, terms: Terms): Promise<number> {
  await passPeriod(bench.chain)
  const args = [terms.id, terms.outcome, stateHash(terms, 5, false)]
  const used = await call(bench.chain, bench.court, alice, 'transferAllAssets', args)
  await demandEmpty(bench, terms)
  return used
}

async function demandEmpty({ court }: Bench, { asset, id }: Terms): Promise<void> {
  demand('what Nitro still holds', await court.getFunction('holdings')(asset, id), 0n)
}
