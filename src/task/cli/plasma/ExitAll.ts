import { createInterface } from 'node:readline/promises'
import { ETHER, type Hex, ZERO } from '../../../core/base/Bytes.ts'
import { get } from '../../../core/base/HashMap.ts'
import { OWN_PERMIT } from '../../../core/plasma/Exit.ts'
import { exitCalls, type Held, type Leaving } from '../../../core/plasma/Held.ts'
import { maySpeakFor, standingOf, termsOn } from '../../../core/plasma/Locked.ts'
import { heldBy, sightOf } from '../../../core/plasma/Purse.ts'
import { claimOn } from '../../../core/plasma/Running.ts'
import type { Answer, Call } from '../Command.ts'
import { ETH, formatMoney } from '../Money.ts'
import { facts, table } from '../Table.ts'
import { moneyText } from './Ask.ts'
import { mined, SENT } from './Leave.ts'
import { type Session, withWallet } from './Session.ts'
import { type Told, toldTo } from './Told.ts'

/** Gas that paying an exit out takes, about: of one output, and of a group with each of its members. */
const PAYING = { one: 40_000n, group: 30_000n, member: 25_000n } as const

/** Outputs that leave by one transaction, and what that costs. */
export interface ExitGroup {
  readonly asset: Hex
  readonly amount: bigint
  readonly outputs: readonly Hex[]
  /** Gas of the start, gas of being paid out (about), wei a gas, and the bond that comes back, wei. */
  readonly gas: bigint
  readonly payGas: bigint
  readonly feePerGas: bigint
  readonly bond: bigint
}

/** What leaves, and what stays for which reason. */
export interface ExitPlan {
  readonly groups: readonly ExitGroup[]
  /** In payments that are not settled: an exit of them may be challenged. */
  readonly doubtful: readonly Held[]
  /** Under locks whose terms nobody has told this wallet. */
  readonly unknown: readonly Held[]
  /** Ether outputs whose exit would cost more than they are worth. */
  readonly dust: readonly Held[]
}

/** Leaves with everything: tells groups, doubtful outputs, dust and the whole cost, asks, and starts one group after another. */
export function exitAll(call: Call): Promise<Answer> {
  return withWallet(call, SENT, async (session) => {
    call.note('Reckons what leaves and what it costs')
    const plan = await planOf(session, call.options.anyway === true, call.options.dust === true)
    const text = await planText(session, plan)
    if (plan.groups.length === 0) return answer(plan, [], `${text}\nNothing is to be started.`)
    if (!(await isWanted(call, text))) return answer(plan, [], `${text}\nNothing was started: add --yes to start it.`)
    const started: Started[] = []
    for (const [i, { outputs }] of plan.groups.entries()) {
      const [receipt] = await session.wallet.leaveAll(outputs, call.options.anyway === true)
      call.note(`Started ${i + 1} of ${plan.groups.length}: block ${receipt!.block}, ${receipt!.gasUsed} gas`)
      started.push({ outputs, ...mined(receipt!) })
    }
    return answer(plan, started, `${text}\nStarted. kerros plasma exits tells when the money arrives.`)
  })
}

interface Started {
  readonly outputs: readonly Hex[]
  readonly transaction: Hex
  readonly block: number
  readonly gasUsed: bigint
}

function answer(plan: ExitPlan, started: readonly Started[], text: string): Answer {
  const bare = ({ id, output }: Held) => ({ id, asset: output.asset, value: output.value })
  const groups = plan.groups.map((one) => ({ ...one, cost: costOf(one) }))
  const { bond, cost } = totalOf(plan)
  const [doubtful, unknown, dust] = [plan.doubtful.map(bare), plan.unknown.map(bare), plan.dust.map(bare)]
  const json = { groups, doubtful, unknown, dust, bond, cost, started }
  return { json, text }
}

/** Whether it shall start: --yes, or a person at the terminal who says so. Without either, the plan is all. */
async function isWanted(call: Call, text: string): Promise<boolean> {
  if (call.options.yes === true) return true
  if (call.options.json === true || !process.stdin.isTTY || !process.stderr.isTTY) return false
  call.note(text)
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const no = new Promise<string>((done) => asking.once('close', () => done('')))
    const said = await Promise.race([asking.question('Start these exits? Type yes: '), no])
    return /^y(?:es)?$/i.test(said.trim())
  } finally {
    asking.close()
  }
}

/** What would leave now. `anyway` = doubtful outputs, too, each alone; `all` = dust, too. */
export async function planOf(session: Session, anyway: boolean, all: boolean): Promise<ExitPlan> {
  const { wallet, store } = session
  const told = toldTo(wallet.state, store)
  const held = heldBy(wallet.state)
  const doubtful = held.filter(({ use }) => use === 'paying')
  const sight = sightOf(wallet.state)
  const ready = held.filter((one) => one.use === 'free' || isLost(told, one))
  const wanted = ready.filter(({ output }) => maySpeakFor(sight, output))
  const unknown = ready.filter(({ output }) => standingOf(sight, output) === 'unknown')
  const candidates = anyway ? [...wanted, ...doubtful] : wanted
  const first = await groupsOf(session, candidates, doubtful)
  const dust = all ? [] : dustIn(first, candidates)
  const groups =
    dust.length === 0
      ? first
      : await groupsOf(
          session,
          candidates.filter((one) => !dust.includes(one)),
          doubtful,
        )
  return { groups, doubtful: anyway ? [] : doubtful, unknown, dust }
}

/** A start of which no block has told: it may be tried again. */
function isLost({ running }: Told, { id, use }: Held): boolean {
  return use === 'leaving' && claimOn(running, id, ZERO) === undefined
}

async function groupsOf(session: Session, all: readonly Held[], doubtful: readonly Held[]): Promise<ExitGroup[]> {
  const { wallet, config, l1 } = session
  const isUnique = (asset: Hex) => get(wallet.state.running.kinds, asset) === 'unique'
  const single = (one: Held) => doubtful.includes(one) || isUnique(one.output.asset)
  const termsOf = (lock: Hex) => termsOn(wallet.state, lock)
  const groups: ExitGroup[] = []
  for (const leaving of exitCalls(config.path, all, OWN_PERMIT, single, termsOf)) {
    const { gas, value: bond, feePerGas } = await l1.quote(leaving.call)
    groups.push({ ...contentOf(leaving, all), gas, payGas: payGasOf(leaving.ids.length), feePerGas, bond })
  }
  return groups
}

function contentOf({ ids }: Leaving, all: readonly Held[]): Pick<ExitGroup, 'asset' | 'amount' | 'outputs'> {
  const members = all.filter(({ id }) => ids.includes(id)).map(({ output }) => output)
  const amount = members.reduce((sum, { value }) => sum + value, 0n)
  return { asset: members[0]!.asset, amount, outputs: ids }
}

function payGasOf(count: number): bigint {
  return count === 1 ? PAYING.one : PAYING.group + PAYING.member * BigInt(count)
}

/** Wei that the gas of a group costs, being paid out included. */
export function costOf({ gas, payGas, feePerGas }: Pick<ExitGroup, 'gas' | 'payGas' | 'feePerGas'>): bigint {
  return (gas + payGas) * feePerGas
}

/** Ether outputs that are worth less than their share of their group's cost. What tokens are worth nobody here knows. */
export function dustIn(groups: readonly ExitGroup[], all: readonly Held[]): readonly Held[] {
  return groups.flatMap((group) => {
    const share = costOf(group) / BigInt(group.outputs.length)
    const isDust = ({ id, output }: Held) => group.outputs.includes(id) && output.value < share
    return group.asset === ETHER ? all.filter(isDust) : []
  })
}

function totalOf({ groups }: ExitPlan): { readonly bond: bigint; readonly cost: bigint } {
  return groups.reduce((sum, one) => ({ bond: sum.bond + one.bond, cost: sum.cost + costOf(one) }), {
    bond: 0n,
    cost: 0n,
  })
}

async function planText(session: Session, plan: ExitPlan): Promise<string> {
  const ether = (wei: bigint) => formatMoney(wei, ETH)
  const money = ({ output }: Held) => moneyText(session, output.asset, output.value)
  const rows = await Promise.all(
    plan.groups.map(async (one, i) => {
      const amount = await moneyText(session, one.asset, one.amount)
      return [`${i + 1}`, `${one.outputs.length}`, amount, ether(costOf(one)), ether(one.bond)]
    }),
  )
  const listed = async (held: readonly Held[]) =>
    (await Promise.all(held.map(async (one) => `${one.id}  ${await money(one)}`))).join('\n  ')
  const { bond, cost } = totalOf(plan)
  const parts = [
    rows.length > 0 && table(['group', 'outputs', 'amount', 'gas costs about', 'bond'], rows),
    rows.length > 0 &&
      facts([
        ['gas', `${ether(cost)} in all, about; being paid out included`],
        ['bonds', `${ether(bond)} in all: they come back with the money unless somebody shows a spend`],
      ]),
    plan.doubtful.length > 0 &&
      `Doubtful, because a payment that is not settled spends them; they stay until it ends, or take it out by kerros plasma fly, or add --anyway and risk half of a bond each:\n  ${await listed(plan.doubtful)}`,
    plan.unknown.length > 0 &&
      `Locked, under terms that this wallet was not told: tell them with kerros plasma learn:\n  ${await listed(plan.unknown)}`,
    plan.dust.length > 0 &&
      `Dust: to take these out costs more gas than they are worth now; they stay, and can be spent, or add --dust:\n  ${await listed(plan.dust)}`,
  ]
  return parts.filter((part) => typeof part === 'string').join('\n\n')
}
