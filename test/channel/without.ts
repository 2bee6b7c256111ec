// The court's own code with one rule left out, on a chain of its own, and people who try to live with it.
import { expect } from 'chai'
import { Interface } from 'ethers'
import { network } from 'hardhat'
import { compiled, sourceOf } from '../../bench/prove/compile.ts'
import { concat, ETHER, type Hex, ZERO } from '../../src/core/base/Bytes.ts'
import { type Domain, domain } from '../../src/core/base/Signature.ts'
import type { SignedState } from '../../src/core/channel/Call.ts'
import { NO_STATE } from '../../src/core/channel/Challenge.ts'
import { type Channel, channelId, FINAL } from '../../src/core/channel/Channel.ts'
import type { Lock } from '../../src/core/channel/Lock.ts'
import type { Account } from '../../src/edge/chain/LocalAccounts.ts'
import { Adjudicator__factory, Permit2StandIn__factory, SignedToken__factory } from '../../typechain-types/index.ts'
import { alice, bob, carol, coSigned, PERIOD, stranger, terms, UNIT } from './stage.ts'

/** A piece of a source that says a rule, and what stands there when the rule is left out. */
export interface Cut {
  readonly path: string
  readonly rule: string
  readonly instead: string
}

const COURT = 'contracts/channel/Adjudicator.sol'
/** Not optimized: quick to compile, larger than a chain takes, the same otherwise. */
const SETTINGS = { evmVersion: 'osaka', outputSelection: { [COURT]: { Adjudicator: ['abi', 'evm.bytecode.object'] } } }
const built = new Map<string, Hex>()

/** The court's code with these cuts; throws if one of them is not found exactly once, so that no rule moves unnoticed. */
function codeWithout(cuts: readonly Cut[]): Hex {
  const key = JSON.stringify(cuts)
  const known = built.get(key)
  if (known) return known
  const read = (path: string) => cuts.filter((cut) => cut.path === path).reduce(cutOut, sourceOf(path))
  const { contracts } = compiled(COURT, SETTINGS, read)
  const code: Hex = `0x${contracts![COURT]!.Adjudicator!.evm.bytecode.object}`
  built.set(key, code)
  return code
}

function cutOut(text: string, { path, rule, instead }: Cut): string {
  const parts = text.split(rule)
  if (parts.length !== 2) throw new Error(`${path} says "${rule}" ${parts.length - 1} times, not once`)
  return parts.join(instead)
}

/** How a call is sent; `tail` is appended to its data. */
interface Sending {
  readonly value?: bigint
  readonly gas?: number
  readonly tail?: Hex
}

const ERRORS = Interface.from(
  [Adjudicator__factory, SignedToken__factory, Permit2StandIn__factory].flatMap(({ abi }): object[] => [...abi]),
)
/** The court's verbs. */
export const VERBS = Interface.from(Adjudicator__factory.abi)

/** A chain, a court on it with or without a rule, and the money of alice, bob, carol and a stranger. */
export class Scene {
  readonly connection: Awaited<ReturnType<typeof network.create<'generic'>>>
  readonly domain: Domain
  /** Whether the rule has been left out. */
  readonly without: boolean
  readonly refusals: string[] = []
  readonly #code: Hex

  private constructor(connection: Scene['connection'], court: Hex, without: boolean, code: Hex) {
    this.connection = connection
    this.domain = domain(31337n, court)
    this.without = without
    this.#code = code
  }

  static async of(cuts: readonly Cut[]): Promise<Scene> {
    const override = { allowUnlimitedContractSize: true, initialBaseFeePerGas: 0n }
    const connection = await network.create({ network: 'default', override })
    const code = codeWithout(cuts)
    return new Scene(connection, await deploy(connection, code), cuts.length > 0, code)
  }

  get court(): Hex {
    return this.domain.court
  }

  /** The same people before another court of the same code. */
  async another(): Promise<Scene> {
    return new Scene(this.connection, await deploy(this.connection, this.#code), this.without, this.#code)
  }

  id(channel: Channel): Hex {
    return channelId(this.domain, channel)
  }

  async now(): Promise<number> {
    return this.connection.networkHelpers.time.latest()
  }

  /** Sends data anywhere; whether it was taken. Why not is kept in `refusals`. */
  async send({ address: from }: Account, to: Hex, data: string, { value = 0n, gas = 15_000_000 }: Sending = {}) {
    const quantities = { value: `0x${value.toString(16)}`, gas: `0x${gas.toString(16)}`, gasPrice: '0x0' }
    const request = { from, to, data, ...quantities }
    try {
      await this.connection.provider.request({ method: 'eth_sendTransaction', params: [request] })
      return true
    } catch (why) {
      const { data: reason } = why as { data?: string }
      if (reason === undefined) throw why
      this.refusals.push(reason === '0x' ? 'without a word' : (ERRORS.parseError(reason)?.name ?? reason))
      return false
    }
  }

  /** Calls a verb of the court; whether it was taken. */
  async call(by: Account, verb: string, args: readonly unknown[], sending: Sending = {}): Promise<boolean> {
    const data = concat(VERBS.encodeFunctionData(verb, args) as Hex, sending.tail ?? '0x')
    return this.send(by, this.court, data, sending)
  }

  /** Whether the court would take a call now. */
  async would({ address: from }: Account, verb: string, args: readonly unknown[]): Promise<boolean> {
    const params = [{ from, to: this.court, data: VERBS.encodeFunctionData(verb, args) }, 'latest']
    return this.connection.provider.request({ method: 'eth_call', params }).then(
      () => true,
      () => false,
    )
  }

  async deposit(by: Account, channel: Channel, toB: boolean, units: bigint): Promise<boolean> {
    const amount = units * UNIT
    const value = channel.asset === ETHER ? amount : 0n
    return this.call(by, 'deposit', [channel.asset, this.id(channel), toB, amount], { value })
  }

  state(channel: Channel, version: bigint, units: bigint, locks: readonly Lock[] = []): SignedState {
    return coSigned(this, channel, version, units * UNIT, undefined, ZERO, locks)
  }

  /** Ends a channel by the signatures of both. */
  async conclude(channel: Channel, units = 0n, by: readonly Account[] = [alice, bob]): Promise<boolean> {
    const keys = by.map(({ key }) => key)
    const { net, sigA, sigB } = coSigned(this, channel, FINAL, units * UNIT, keys)
    return this.call(by[0]!, 'conclude', [channel, net, sigA, sigB])
  }

  /** Ends a channel by a dispute: somebody challenges with a state, nobody answers, all locks expire. */
  async dispute(by: Account, channel: Channel, state: SignedState = NO_STATE): Promise<boolean> {
    await this.call(by, 'challenge', [channel, state])
    await this.connection.networkHelpers.time.increase(2 * PERIOD)
    return this.call(by, 'settle', [channel, state.locks])
  }

  async balance(asset: Hex, { address }: { readonly address: Hex }): Promise<bigint> {
    const { ethers } = this.connection
    if (asset === ETHER) return ethers.provider.getBalance(address)
    return SignedToken__factory.connect(asset, ethers.provider).balanceOf(address)
  }
}

async function deploy({ ethers }: Scene['connection'], code: Hex): Promise<Hex> {
  const factory = new ethers.ContractFactory(VERBS, code, await ethers.getSigner(alice.address))
  const court = await factory.deploy({ gasPrice: 0 })
  return (await court.getAddress()).toLowerCase() as Hex
}

/** Terms between two thieves, who sign whatever pays them. */
export function thieves(asset: Hex, salt: number): Channel {
  const [a, b] = [stranger, carol].map(({ address }) => ({ owner: address, signer: address }))
  return terms(asset, salt, { a: a!, b: b! })
}

/** What a rule is tried with: the cuts that leave it out, who would lose by that, and how. */
export interface Rule {
  readonly rule: string
  readonly cuts: readonly Cut[]
  /** Prepares people's money; what it returns is the asset that counts. */
  readonly asset: (scene: Scene) => Promise<Hex>
  readonly victim?: Account
  readonly story: (scene: Scene, asset: Hex) => Promise<void>
  /** The error by which the court, as it is, refuses the attack. */
  readonly refusal?: string
  /** Units that the victim has more at the end than at the beginning, with the rule and without it. */
  readonly on: bigint
  readonly off: bigint
}

/** A test per rule: its story is played before the court as it is, and before the court without the rule. */
export function eachIsNeeded(rules: readonly Rule[]): void {
  for (const rule of rules) {
    it(rule.rule, async () => {
      const { on, off } = await played(rule)
      expect([on.gain, off.gain]).to.deep.equal([rule.on, rule.off])
      if (rule.refusal !== undefined) expect(on.refusals).to.include(rule.refusal)
    })
  }
}

async function played({ cuts, asset, victim = bob, story }: Rule) {
  const results: { readonly gain: bigint; readonly refusals: readonly string[] }[] = []
  for (const left of [[], cuts]) {
    const scene = await Scene.of(left)
    const counted = await asset(scene)
    const before = await scene.balance(counted, victim)
    await story(scene, counted)
    const gain = (await scene.balance(counted, victim)) - before
    results.push({ gain: gain / UNIT, refusals: scene.refusals })
  }
  return { on: results[0]!, off: results[1]! }
}
