// One who owns coins, signs everything twice, and may have the operator's key: what it tries is up to the numbers given.
import { type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { get } from '../../src/core/base/HashMap.ts'
import { addressOf, sign } from '../../src/core/base/Signature.ts'
import { Refusal } from '../../src/core/base/Step.ts'
import { type Inclusion, inclusion, txTree } from '../../src/core/plasma/Block.ts'
import type { PlasmaCall, PlasmaEvent } from '../../src/core/plasma/Call.ts'
import { dueExits } from '../../src/core/plasma/Due.ts'
import { OWN_PERMIT } from '../../src/core/plasma/Exit.ts'
import { exitCall, exitCalls, flightCall, type Held } from '../../src/core/plasma/Held.ts'
import { close, emptyLedger, type Ledger, observe, type Signed, spend } from '../../src/core/plasma/Ledger.ts'
import {
  allInFlight,
  noExits,
  openPositions,
  type RunningExits,
  type RunningInFlight,
} from '../../src/core/plasma/Running.ts'
import { outputId, type Transaction } from '../../src/core/plasma/Transaction.ts'
import type { Acknowledgement, OperatorApi } from '../../src/edge/http/OperatorApi.ts'
import type { Operator } from '../../src/role/Operator.ts'
import type { Watcher } from '../../src/role/Watcher.ts'
import type { Cheat, Turn } from './Act.ts'
import type { Ground } from './Ground.ts'
import { CHAIN, DOMAIN, hashOf, ID, INTERVAL, keepBlock, MARGIN, THIEF_KEY, UNIT } from './Scene.ts'

const THIEF = addressOf(THIEF_KEY)
type Deposited = Extract<PlasmaEvent, { readonly name: 'Deposited' }>

/** What really is: the ledger after the last valid block that anybody has made, and the first number that is not valid. */
export interface Truth {
  readonly ledger: Ledger
  readonly bad: number | undefined
}

export class Thief {
  /** Deposits on layer 1 now, in order. */
  readonly deposits: Deposited[] = []
  /** Everything that it has signed, and what others have told the operator. */
  readonly signed: Signed[] = []
  readonly overheard: Signed[] = []
  readonly #served = new Map<number, readonly Signed[]>()

  hear(event: PlasmaEvent, comes: boolean): void {
    if (event.name !== 'Deposited') return
    if (comes) this.deposits.push(event)
    else this.deposits.pop()
  }

  overhear(signed: Signed): void {
    if (!this.overheard.some((one) => hashOf(one) === hashOf(signed))) this.overheard.push(signed)
  }

  /** Everything that was ever the thief's, on layer 1 or in a block that has been made: with its proof. */
  coins(on: Ground): readonly Held[] {
    const deposits = this.deposits
      .filter(({ owner }) => owner === THIEF)
      .map((event): Held => {
        const { id, chain, sender, salt, owner, asset, value } = event
        const proof = { kind: 'deposit', deposit: { chain, sender, salt, owner, asset, value } } as const
        return { id, output: { owner, asset, value, lock: ZERO }, proof, use: 'free' }
      })
    const made = shownIn(on).flatMap(({ signed, shown }) =>
      signed.transaction.outputs.flatMap((output, position): readonly Held[] => {
        if (output.owner !== THIEF) return []
        const proof = { kind: 'output', transaction: signed.transaction, position, inclusion: shown } as const
        return [{ id: outputId(hashOf(signed), position), output, proof, use: 'free' }]
      }),
    )
    return [...deposits, ...made]
  }

  /** Some of its coins, spent or not, for itself or for others or for both. */
  sign(on: Ground, pick: number, other: number): Signed | undefined {
    const coins = this.coins(on)
    if (coins.length === 0) return undefined
    const two = [coins[pick % coins.length]!, coins[other % coins.length]!]
    const spent = pick % 3 === 0 && two[0] !== two[1] ? two : two.slice(0, 1)
    const sum = spent.reduce((total, { output }) => total + output.value, 0n) - BigInt(on.script.setting.fee)
    const to = Object.values(on.books)[other % 3]!.owner
    const half = sum / 2n
    const parts = [
      [[to, sum]],
      [[THIEF, sum]],
      [
        [to, half],
        [THIEF, sum - half],
      ],
    ][pick % 3] as [Hex, bigint][]
    const outputs = parts.map(([owner, value]) => ({ owner, asset: on.asset, value, lock: ZERO }))
    const lastBlock = on.commits.length + (pick % 2 === 0 ? other % 4 : 1000)
    return this.#put({
      chain: ID,
      inputs: spent.map(({ id }) => id),
      outputs,
      lastBlock,
      memo: uint(this.signed.length, 32),
    })
  }

  #put(transaction: Transaction): Signed {
    const made = { transaction, authorisation: sign(hashOf({ transaction, authorisation: '0x' }), THIEF_KEY) }
    this.signed.push(made)
    return made
  }

  cheat(on: Ground, how: Cheat, pick: number, other: number): void {
    const coins = this.coins(on)
    const coin = coins[pick % Math.max(1, coins.length)]
    if (how === 'sign') this.sign(on, pick, other)
    if (how === 'pay') {
      const signed = this.sign(on, pick, other)
      const { role, body } = on.hosts.operator
      const api = on.mood.turned || !body.isAlive() ? undefined : (role as Operator | undefined)?.api
      if (signed) api?.submit(signed).catch(() => undefined)
      if (signed) this.overhear(signed)
    }
    if (how === 'exit' && coin) say(on, exitCall([CHAIN], coin.proof, OWN_PERMIT))
    if (how === 'group') {
      const some = coins.filter((_, n) => ((pick >> (n % 8)) & 1) === 1)
      for (const { call } of exitCalls([CHAIN], some, OWN_PERMIT, () => false)) say(on, call)
    }
    const tx = this.signed[other % Math.max(1, this.signed.length)]
    if (how === 'fly' && tx) this.#fly(on, tx, coins)
    if (how === 'process') process(on)
    const flights = allInFlight(runningOf(on))
    const one = flights[pick % Math.max(1, flights.length)]
    if (one) this.#harass(on, one, how, other)
  }

  #fly(on: Ground, tx: Signed, coins: readonly Held[]): void {
    try {
      say(
        on,
        flightCall([CHAIN], tx, (id) => coins.find((held) => held.id === id)),
      )
    } catch (why) {
      if (!(why instanceof Refusal)) throw why
    }
  }

  #harass(on: Ground, one: RunningInFlight, how: Cheat, other: number): void {
    const { inFlight, txHash } = one
    const all = [...this.signed, ...this.overheard]
    const shown = new Map(shownIn(on).map((at) => [hashOf(at.signed), at.shown]))
    if (how === 'piggyback') {
      const positions = openPositions(runningOf(on), one, ({ owner }) => owner === THIEF)
      if (positions) say(on, { verb: 'piggyback', inFlight, positions, terms: [] })
    }
    if (how === 'respond' && shown.has(txHash)) {
      say(on, { verb: 'respond', path: [CHAIN], inFlight, inclusion: shown.get(txHash)! })
    }
    if (how !== 'compete') return
    const rivals = all.filter((signed) => signed.transaction.inputs.some((id) => inFlight.tx.inputs.includes(id)))
    const rival = rivals[other % Math.max(1, rivals.length)]
    if (!rival) return
    const { transaction: tx, authorisation } = rival
    const position = inFlight.tx.inputs.findIndex((id) => tx.inputs.includes(id))
    const proof = shown.get(hashOf(rival))
    const spend = { tx, input: tx.inputs.indexOf(inFlight.tx.inputs[position]!), authorisation }
    const given = proof && other % 2 === 0 ? [proof] : []
    say(on, { verb: 'compete', path: [CHAIN], inFlight, position, spend: { ...spend, inclusion: given }, terms: [] })
  }

  // With the operator's key

  /** Commits a block that is good for the thief, and shows it or keeps it; `how` undefined = one more. */
  forge(on: Ground, how: Turn | undefined, shown: boolean, pick: number): void {
    if (how === 'stop') return
    const { ledger } = truthOf(on)
    const number = on.commits.length + 1
    const last = on.commits.at(-1)
    const old = Math.max(last?.asOf ?? 0, on.heard.at(-1)!.time + INTERVAL + 1 - MARGIN)
    const asOf = how === 'old' ? old : on.heard.at(-1)!.time
    const wanted = this.#wanted(
      on,
      { ...observe(ledger, on.heard, asOf), number },
      how === 'censored' ? pick : undefined,
    )
    const evil = this.#evil(on, how ?? (['nowhere', 'robbery', 'censored', 'twice'] as const)[pick % 4]!, number, pick)
    const transactions = pick % 2 === 0 ? [...wanted, ...evil] : [...evil, ...wanted]
    const head = keepBlock(on, transactions)
    if (shown) this.#served.set(number, how === 'garbled' ? transactions.map(garbled) : transactions)
    const sent = on.court
      .connect(CHAIN.operator, on.hosts.operator.chain)
      .send({ verb: 'commit', chain: CHAIN, number, header: head, asOf })
    sent.catch(() => undefined)
  }

  /** What people still want, as far as it is valid; without what one of them wants if it is censored. */
  #wanted(on: Ground, ledger: Ledger, censored: number | undefined): readonly Signed[] {
    const owners = Object.values(on.books).map(({ owner }) => owner)
    let now = ledger
    return this.overheard.filter((signed) => {
      const coin = get(now.coins, signed.transaction.inputs[0]!)
      if (censored !== undefined && coin?.output.owner === owners[censored % 3]) return false
      try {
        now = spend(now, signed, { hash: hashOf(signed) })
        return true
      } catch (why) {
        if (why instanceof Refusal) return false
        throw why
      }
    })
  }

  #evil(on: Ground, how: Turn, number: number, pick: number): readonly Signed[] {
    const outputs = [{ owner: THIEF, asset: on.asset, value: UNIT * BigInt(20 + (pick % 60)), lock: ZERO }]
    const base = { chain: ID, outputs, lastBlock: number + 1000, memo: uint(pick, 32) }
    if (how === 'nowhere') return [this.#put({ ...base, inputs: [uint(pick + 1, 32)] })]
    if (how === 'fees') return [{ transaction: { ...base, inputs: [], lastBlock: number }, authorisation: '0x' }]
    const victims = this.deposits.filter(({ owner }) => owner !== THIEF)
    const victim = victims[pick % Math.max(1, victims.length)]
    if (how === 'robbery' && victim) return [this.#put({ ...base, inputs: [victim.id] })]
    const coins = this.coins(on)
    const coin = coins[pick % Math.max(1, coins.length)]
    if (how !== 'twice' || !coin) return []
    const same = [{ ...outputs[0]!, value: coin.output.value }]
    return [0, 1].map((n) => this.#put({ ...base, outputs: same, inputs: [coin.id], memo: uint(pick + n, 32) }))
  }

  /** What is served once the operator has turned: what was shown, of the time before everything; every payment is taken, and forgotten. */
  api(on: Ground): Pick<OperatorApi, 'block' | 'submit'> {
    return {
      block: async (number) => {
        const commit = on.commits[number - 1]
        const old =
          this.#served.get(number) ?? (commit && !this.#isForged(number) ? on.blocks.get(commit.header) : undefined)
        if (!old) throw new Refusal('UnknownBlock', number)
        return { number, asOf: 0, header: ZERO, transactions: old }
      },
      submit: async (signed): Promise<Acknowledgement> => ({ txHash: hashOf(signed), number: 1, index: 0 }),
    }
  }

  #first: number | undefined

  /** From this number on blocks are the thief's. */
  turnAt(number: number): void {
    this.#first = number
  }

  #isForged(number: number): boolean {
    return this.#first !== undefined && number >= this.#first
  }
}

function garbled(signed: Signed, index: number): Signed {
  if (index > 0 || signed.authorisation === '0x') return signed
  return { ...signed, authorisation: sign(hashOf(signed), uint(0x1234, 32)) }
}

/** Lets the thief call the court, which may refuse. */
function say(on: Ground, call: PlasmaCall): void {
  on.court
    .connect(THIEF, on.hosts.operator.chain)
    .send(call)
    .catch(() => undefined)
}

/** What runs, as the watcher knows it. */
export function runningOf(on: Ground): RunningExits {
  return (on.hosts.watcher.role as Watcher | undefined)?.state.running ?? noExits()
}

/** Lets the court pay what it may pay. */
export function process(on: Ground): void {
  const due = dueExits(runningOf(on), on.asset, on.l1.head().time)
  if (due.exits.length + due.inFlight.length === 0) return
  say(on, { verb: 'process', chain: ID, asset: on.asset, ...due })
}

/** Every transaction of every block on layer 1, with its proof. */
function shownIn(on: Ground): readonly { readonly signed: Signed; readonly shown: Inclusion }[] {
  return on.commits.flatMap((commit) => {
    const block = on.blocks.get(commit.header)
    if (!block) return []
    const tree = txTree(block.map(hashOf))
    return block.map((signed, index) => ({ signed, shown: inclusion(tree, index, commit) }))
  })
}

/** Executes everything again that was committed, until something is not valid. */
export function truthOf(on: Ground): Truth {
  let ledger = emptyLedger(DOMAIN, ID, 0)
  for (const { number, header, asOf } of on.commits) {
    const block = on.blocks.get(header)
    if (!block) return { ledger, bad: number }
    try {
      const before = observe(ledger, on.heard, asOf)
      ledger = close(block.reduce((now, signed) => spend(now, signed, { hash: hashOf(signed) }), before))
    } catch (why) {
      if (!(why instanceof Refusal)) throw why
      return { ledger, bad: number }
    }
  }
  return { ledger, bad: undefined }
}
