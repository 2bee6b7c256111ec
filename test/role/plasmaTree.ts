import { ETHER, type Hex } from '../../src/core/base/Bytes.ts'
import { addressOf, sign } from '../../src/core/base/Signature.ts'
import { Refusal } from '../../src/core/base/Step.ts'
import { type Child, header, rootOfChildren, txRoot } from '../../src/core/plasma/Block.ts'
import { type Chain, chainId, ownOf, registrationDigest } from '../../src/core/plasma/Chain.ts'
import type { Offer, OperatorOutput, OperatorParams, Tender } from '../../src/core/plasma/Office.ts'
import { type Opening, openingOf } from '../../src/core/plasma/Opening.ts'
import type { OperatorApi, ParentApi } from '../../src/edge/http/OperatorApi.ts'
import { memoryStore } from '../../src/edge/store/Memory.ts'
import type { Store } from '../../src/edge/store/Store.ts'
import { Operator } from '../../src/role/Operator.ts'
import { Wallet } from '../../src/role/Wallet.ts'
import { Watcher } from '../../src/role/Watcher.ts'
import { CHAIN, DEPTH, DOMAIN, ETHER_100, key, through, WATCHER, World } from './plasmaWorld.ts'

/** Operators' keys by their chain's id. */
const KEYS = new Map<Hex, Hex>()

function chain(parent: Chain | undefined, slot: number, by: number): Chain {
  const made = parent ? { parent: chainId(parent), slot, operator: addressOf(key(by)) } : CHAIN
  KEYS.set(chainId(made), key(by))
  return made
}

const ROOT = chain(undefined, 0, 0)
const CHILD = chain(ROOT, 3, 20)
const SIBLING = chain(ROOT, 0, 22)
const GRAND = chain(CHILD, 200, 21)

/** A root-level chain, two children of it and a grandchild, by their paths. */
export const PATHS = {
  root: [ROOT],
  child: [ROOT, CHILD],
  sibling: [ROOT, SIBLING],
  grand: [ROOT, CHILD, GRAND],
} as const satisfies Record<string, readonly Chain[]>

/** The private key of a chain's operator. */
export function keyOf(of: Chain): Hex {
  return KEYS.get(chainId(of))!
}

/** What a parent's operator signs for its child. */
export function consentTo(path: readonly Chain[]): Hex {
  return sign(registrationDigest(DOMAIN, ownOf(path)), keyOf(path.at(-2)!))
}

/** A world of several chains; what their operators say to their parents is noted. */
export class Tree extends World {
  readonly offers: (Offer & { readonly chain: Hex })[] = []
  readonly operators: Operator[] = []
  /** Why a question was not answered, or a call not taken. */
  readonly troubles: unknown[] = []

  constructor() {
    super()
    for (const by of [20, 21, 22]) this.l1.money.mint(ETHER, addressOf(key(by)), ETHER_100)
  }

  run(
    path: readonly Chain[],
    parent?: ParentApi,
    store: Store = memoryStore(),
    params: Partial<OperatorParams> = {},
  ): Operator {
    const own = ownOf(path)
    const secrets = path.length > 1 ? { key: keyOf(own), consent: consentTo(path) } : {}
    const all = { path, depth: DEPTH, margin: 3600, fees: [], maxTransactions: 1000, ...secrets, ...params }
    const onFailure = (why: unknown) => this.failures.push(why)
    const onTrouble = (why: unknown) => this.troubles.push(why)
    const onOutput = (output: OperatorOutput) => {
      if (output.kind === 'offer') this.offers.push({ ...output.offer, chain: chainId(own) })
      if (output.kind === 'dropped') this.dropped.push(output)
    }
    const l1 = this.connect(own.operator)
    const told = { onOutput, onFailure, onTrouble }
    const made = new Operator({ l1, store, params: all, from: 0, ...told, ...(parent && { parent }) })
    this.stops.push(() => made.stop())
    this.operators.push(made)
    return made
  }

  /** A wallet of the n-th person on a chain. */
  user(
    n: number,
    path: readonly Chain[],
    operator: Pick<OperatorApi, 'block' | 'openings' | 'submit'>,
    store: Store = memoryStore(),
  ): Wallet {
    const onFailure = (why: unknown) => this.failures.push(why)
    const params = { path, key: key(n), depth: DEPTH, patience: 6 * 3600, alarm: 10 * 3600, life: 50, guard: false }
    const made = new Wallet({ l1: this.connect(addressOf(key(n))), store, operator, params, from: 0, onFailure })
    this.stops.push(() => made.stop())
    return made
  }

  guard(path: readonly Chain[], operator: Pick<OperatorApi, 'block' | 'openings'>): Watcher {
    const onFailure = (why: unknown) => this.failures.push(why)
    const times = { depth: DEPTH, patience: 6 * 3600, warning: 86_400, from: 0 }
    const onAlarm = (alarm: (typeof this.alarms)[number]) => this.alarms.push(alarm)
    const l1 = this.connect(WATCHER)
    const made = new Watcher({ l1, store: memoryStore(), operator, path, ...times, onAlarm, onFailure })
    this.stops.push(() => made.stop())
    return made
  }

  /** One tick of each clock, one after the other. */
  async tick(...operators: readonly Operator[]): Promise<void> {
    for (const one of operators) {
      one.seal()
      await this.rest()
    }
  }

  /** One block of the whole tree, until everybody believes it: `line` has the operators, parents before their children. */
  async turn(...line: readonly Operator[]): Promise<void> {
    const [root, ...below] = line as [Operator, ...Operator[]]
    await this.tick(...below.toReversed(), root)
    await this.tick(...below, ...below.toReversed(), root)
    await this.mine(DEPTH + 5)
  }
}

/** The operator of a root-level chain that anchors, opens and serves whatever it is told to. */
export class HostileRoot {
  readonly tree: Tree
  tender: Tender | null = null
  readonly offers = new Map<number, Offer>()
  readonly blocks = new Map<number, readonly Child[]>()
  /** Numbers that it does not open. */
  readonly closed = new Set<number>()
  #number = 0

  constructor(tree: Tree) {
    this.tree = tree
  }

  get api(): ParentApi {
    return {
      tender: async () => this.tender,
      offer: async (slot, offer) => void this.offers.set(slot, offer),
      openingsOf: async (slot, number) => this.opened(slot, number),
    }
  }

  opened(slot: number, number: number): readonly Opening[] {
    const children = this.blocks.get(number)
    if (!children || this.closed.has(number)) throw new Refusal('UnknownBlock', number)
    return [openingOf(txRoot([]), children, slot)]
  }

  /** Registers the chain, and has the children registered. */
  async begin(): Promise<void> {
    const call = { verb: 'register', path: PATHS.root, signatures: ['0x'] } as const
    const sent = this.tree.connect(CHAIN.operator).send(call)
    await this.tree.mine(DEPTH + 4)
    await sent
  }

  /** Lets children sign for its next number, as it sees L1 finally, and collects what they sign. */
  async collect(...below: readonly Operator[]): Promise<Tender> {
    this.offers.clear()
    const tender = { number: this.#number + 1, asOf: this.tree.l1.head().time - 12 * DEPTH }
    this.tender = tender
    await this.tree.tick(...below.toReversed(), ...below, ...below.toReversed())
    this.tender = null
    return tender
  }

  /** What was offered, as it stands in slots. */
  get collected(): readonly Child[] {
    const all = [...this.offers].map(([slot, { header: head, r, vs }]) => ({ slot, header: head, r, vs }))
    return all.sort((a, b) => a.slot - b.slot)
  }

  /** Commits its next block with these slots, and waits until it is final. */
  async commit(children: readonly Child[], asOf: number): Promise<number> {
    const number = ++this.#number
    this.blocks.set(number, children)
    const head = header(txRoot([]), rootOfChildren(children))
    const call = { verb: 'commit', chain: CHAIN, number, header: head, asOf } as const
    const sent = this.tree.connect(CHAIN.operator).send(call)
    await this.tree.mine(DEPTH + 5)
    await sent
    return number
  }
}

/** What people of a chain ask: its operator for blocks, and somebody else for openings. */
export function served(
  operator: Operator,
  openings: OperatorApi['openings'] = through(operator).openings,
): OperatorApi {
  return { ...through(operator), openings }
}
