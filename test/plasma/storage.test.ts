import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import hre from 'hardhat'

/** A node of the compiler's syntax tree, as far as it is read here. */
interface Node {
  readonly id: number
  readonly nodeType: string
  readonly name: string
  readonly mutability?: string
  readonly storageLocation?: string
  readonly linearizedBaseContracts?: readonly number[]
  readonly typeDescriptions?: { readonly typeString: string }
  readonly nodes?: readonly Node[]
}

/** One storage variable: whose it is, and what stands in its place. */
type Place = readonly [contract: string, variable: string]

const SHARED: readonly Place[] = [
  ['Standing', 'mapping(bytes32 => struct ChainState) _chains'],
  ['Standing', 'mapping(bytes32 => mapping(uint256 => bytes32)) _commitments'],
  ['Standing', 'mapping(address => mapping(bytes32 => bool)) _approved'],
  ['Credits', 'mapping(address => mapping(address => uint256)) credits'],
  ['Guard', 'uint256 _taken transient'],
  ['Vaults', 'mapping(bytes32 => uint256) _status'],
  ['Vaults', 'mapping(bytes32 => mapping(address => struct Vault)) _vaults'],
  ['Vaults', 'mapping(address => uint256) _kinds'],
  ['Vaults', 'mapping(address => mapping(uint256 => bytes32)) _holders'],
  ['Vaults', 'mapping(address => mapping(uint256 => address)) _tokenCredits'],
  ['Vaults', 'mapping(bytes32 => uint256) _escrows'],
  ['Vaults', 'mapping(bytes32 => InFlightState) _inFlights'],
  ['Vaults', 'mapping(bytes32 => uint256) _places'],
]

/** Every contract that the compiler saw when it built the root chain. */
async function contractsOf(name: string): Promise<readonly Node[]> {
  const { buildInfoId } = await hre.artifacts.readArtifact(name)
  const path = await hre.artifacts.getBuildInfoOutputPath(buildInfoId!)
  const { output } = JSON.parse(readFileSync(path!, 'utf8')) as {
    readonly output: { readonly sources: Readonly<Record<string, { readonly ast: Node }>> }
  }
  const units = Object.values(output.sources).flatMap(({ ast }) => ast.nodes ?? [])
  return units.filter(({ nodeType }) => nodeType === 'ContractDefinition')
}

/** The storage of a contract in the order of its slots: its bases' from the first on, then its own. */
function layoutOf(contracts: readonly Node[], name: string): readonly Place[] {
  const byId = new Map(contracts.map((one) => [one.id, one]))
  const { linearizedBaseContracts = [] } = contracts.find((one) => one.name === name)!
  return [...linearizedBaseContracts].reverse().flatMap((id) => {
    const { name: owner, nodes = [] } = byId.get(id)!
    const variables = nodes.filter(({ mutability }) => mutability === 'mutable')
    return variables.map((one): Place => {
      const where = one.storageLocation === 'transient' ? ' transient' : ''
      return [owner, `${one.typeDescriptions!.typeString} ${one.name}${where}`]
    })
  })
}

/** The same contracts, one of them with a variable more. */
function withVariable(contracts: readonly Node[], name: string): readonly Node[] {
  const typeDescriptions = { typeString: 'uint256' }
  const more: Node = { id: -1, nodeType: 'VariableDeclaration', name: '_more', mutability: 'mutable', typeDescriptions }
  return contracts.map((one) => (one.name === name ? { ...one, nodes: [...(one.nodes ?? []), more] } : one))
}

describe('RootChain and its code share their storage', () => {
  let contracts: readonly Node[]
  before(async () => {
    contracts = await contractsOf('RootChain')
  })

  it('slot by slot, and all that both know is in their common bases; only RootChain adds to its end', () => {
    expect(layoutOf(contracts, 'RootChainCode')).to.deep.equal(SHARED)
    const slots: Place = ['RootChain', 'mapping(bytes32 => uint256) _slots']
    expect(layoutOf(contracts, 'RootChain')).to.deep.equal([...SHARED, slots])
  })

  it('and the code that is deployed alone was built of the same', async () => {
    expect(layoutOf(await contractsOf('RootChainCode'), 'RootChainCode')).to.deep.equal(SHARED)
  })

  for (const name of [
    'StandardExits',
    'InFlightExits',
    'Payouts',
    'RootChainCode',
    'RootChain',
    'Standing',
    'Vaults',
  ]) {
    it(`so that a variable more in ${name} is noticed`, () => {
      const grown = withVariable(contracts, name)
      const both = [layoutOf(grown, 'RootChainCode'), layoutOf(grown, 'RootChain').slice(0, -1)]
      expect(both).to.not.deep.equal([SHARED, SHARED])
    })
  }
})
