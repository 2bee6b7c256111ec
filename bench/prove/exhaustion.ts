import { Interface } from 'ethers'
import { network } from 'hardhat'
import { type Claim, claimsIn, words } from './claim.ts'
import { compiled, sourceOf } from './compile.ts'

const RECORD = 'contracts/channel/Record.sol'
const FILE = 'bench/prove/Slots.sol'
const SIDES = 256

/**
 * The part of Record.sol about funds with every width divided by 16: words of 16 bits, sides of 8. Nothing but the
 * numbers that name a width or a place of a bit changes. Throws if Record.sol no longer has what is replaced.
 */
export function narrowed(source: string): string {
  const [head, types] = [source.slice(0, source.indexOf('/// @notice Slot 0')), 'type Funds is uint16;\n']
  const using = /^using \{.*\} for Funds global;$/m.exec(source)?.[0]
  const library = source.slice(source.indexOf('library Packing'), source.indexOf('    function dispute('))
  if (!using || !head || !library) throw new Error(`${RECORD} has another form; teach narrowed() to find it`)
  const widths: readonly (readonly [RegExp, string])[] = [
    [/128/g, '8'],
    [/256/g, '16'],
    [/\b127\b/g, '7'],
    [/\b255\b/g, '15'],
    [/shl\(7,/g, 'shl(3,'],
    // A cast that SafeCast has for the widest word only, from unsigned.
    [/SafeCast\.toInt16\((\w+)\)/g, 'SafeCast.toInt16(int256(uint256($1)))'],
  ]
  const narrow = widths.reduce((text, [wide, to]) => {
    if (!text.match(wide)) throw new Error(`${RECORD} no longer has ${wide}; teach narrowed() its new form`)
    return text.replace(wide, to)
  }, library)
  return `${head}${types}${using}\n${narrow}}\n`
}

/** The claims about slot 0, each tried for every value of a side at the narrowed functions on Hardhat's chain. */
export async function exhausted(): Promise<readonly Claim[]> {
  const read = (path: string) => (path === RECORD ? narrowed(sourceOf(path)) : sourceOf(path))
  const settings = { viaIR: true, optimizer: { enabled: true, runs: 20_000 }, evmVersion: 'prague', ...SELECTED }
  const { abi, evm } = compiled(FILE, settings, read).contracts![FILE]!.Slots!
  const limits = { hardfork: 'prague', blockGasLimit: 10n ** 12n } as const
  const { provider, ethers } = await network.create({ network: 'default', override: limits })
  const slots = new Interface(abi as [])
  const made = await new ethers.ContractFactory(slots, evm.bytecode.object, (await ethers.getSigners())[0]).deploy()
  const to = await made.getAddress()
  const call = async (name: string, side: number) => {
    const data = slots.encodeFunctionData(name, [side])
    const answer = await provider.request({ method: 'eth_call', params: [{ to, data, gas: '0x2540be400' }, 'latest'] })
    return Number(BigInt(answer as string))
  }
  const claims: Claim[] = []
  for (const { name, text } of claimsIn(sourceOf(FILE))) {
    if (!/\(int16 side\) external/.test(text)) continue
    claims.push(await tried(name, (side) => call(name, side)))
  }
  return claims
}

const SELECTED = { outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } } }

async function tried(name: string, call: (side: number) => Promise<number>): Promise<Claim> {
  const planted = name.startsWith('planted')
  let cases = 0
  for (let side = -SIDES / 2; side < SIDES / 2; side++) {
    try {
      cases += await call(side)
    } catch (why) {
      if (!/panic code 0x1\b|0x0*1 \(Assertion|assert/i.test(String(why))) throw why
      return { name: words(name), planted, missing: `an assertion fails for side = ${side}`, over: 'by trying' }
    }
  }
  const missing = cases > 0 ? undefined : 'nothing was tried'
  return { name: words(name), planted, missing, over: `by trying ${cases.toLocaleString('en')} cases at 1/16 width` }
}
