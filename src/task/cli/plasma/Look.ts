import { ETHER, type Hex } from '../../../core/base/Bytes.ts'
import { get } from '../../../core/base/HashMap.ts'
import { heldBy } from '../../../core/plasma/Purse.ts'
import type { Answer, Call } from '../Command.ts'
import { ETH, formatMoney } from '../Money.ts'
import { facts, table } from '../Table.ts'
import { formatMoment } from '../Time.ts'
import { memoText, moneyText } from './Ask.ts'
import { type Deed, deedsOf } from './Deeds.ts'
import { type Session, withWallet } from './Session.ts'
import { idOf } from './Settings.ts'
import { type Balance, balancesOf, type ExitView, exitsOf, toldTo } from './Told.ts'

const LEFT = 'Interrupted: nothing was changed, ask again'

/** How far the wallet knows its chain, in its JSON and in words. */
export function standing({ wallet, silence }: Session) {
  const { ledger, commits, bad } = wallet.state.follower
  const checked = ledger.number - 1
  const committed = commits.reduce((last, { number }) => Math.max(last, number), checked)
  const silent = silence() ?? null
  const words = [
    bad &&
      `block ${bad.number} is ${bad.code === 'WithheldBlock' ? 'withheld' : 'invalid'} (${bad.why}): leave with kerros plasma exit-all`,
    commits.length > 0 && `nobody serves blocks ${commits[0]!.number} to ${committed}: what they pay is not known`,
    silent !== null && `the operator is silent: ${silent}`,
  ].filter((line) => typeof line === 'string')
  return { json: { checked, committed, bad: bad ?? null, silent }, words: words.join('\n       ') || undefined }
}

/** Where the money is, by asset and by how certain it is. */
export function balance(call: Call): Promise<Answer> {
  return withWallet(call, LEFT, async (session) => {
    const { wallet, l1, store, config } = session
    const told = toldTo(wallet.state, store)
    const sums = await Promise.all(
      balancesOf(wallet.state, told).map(async (one) => {
        const isUnique = get(told.running.kinds, one.asset) === 'unique'
        const credit = isUnique ? one.credit : await l1.credit(one.asset, wallet.owner)
        const { symbol, decimals } = await session.unit(one.asset)
        return { ...one, credit, symbol, decimals, isUnique }
      }),
    )
    const { json, words } = standing(session)
    const onLayer1 = await session.onLayer1()
    const text = [
      facts([
        ['owner', wallet.owner],
        ['chain', `${idOf(config)}, checked up to block ${json.checked}`],
        ['note', words],
        ['on layer 1', `${formatMoney(onLayer1, ETH)}, for gas and bonds`],
      ]),
      ...sums.map(sumText),
    ].join('\n\n')
    return { json: { owner: wallet.owner, chain: idOf(config), ...json, onLayer1, assets: sums }, text }
  })
}

interface Sum extends Balance {
  readonly symbol: string
  readonly decimals: number
  readonly isUnique: boolean
}

const LINES: readonly (readonly [keyof Balance, string])[] = [
  ['received', 'yours to pay with'],
  ['unconfirmed', 'deposited or coming back, not in a checked block yet'],
  ['paying', 'in payments that are not settled yet'],
  ['locked', 'under a lock that nobody has decided yet'],
  ['exiting', 'on its way to layer 1: kerros plasma exits tells until when'],
  ['escrow', 'in escrow on layer 1: what locks decide for you is taken by kerros plasma claim --escrow'],
  ['credit', 'that the court could not pay out: take it with kerros plasma claim'],
]

function sumText(sum: Sum): string {
  const { asset, symbol, decimals, isUnique } = sum
  const money = (value: bigint) => (isUnique ? `${value} of ${asset}` : formatMoney(value, { asset, symbol, decimals }))
  const shown = LINES.filter(([part]) => part === 'received' || sum[part] !== 0n)
  const rows = shown.map(([part, about]) => [part, money(sum[part] as bigint), about] as const)
  return table([isUnique ? 'ERC-721' : symbol, '', asset === ETHER ? '' : asset], rows)
}

/** Everything that the wallet holds. */
export function outputs(call: Call): Promise<Answer> {
  return withWallet(call, LEFT, async (session) => {
    const held = heldBy(session.wallet.state).map(({ id, output, proof, use }) => {
      const number = proof.kind === 'deposit' ? 0 : proof.inclusion.number
      return { id, asset: output.asset, value: output.value, lock: output.lock, number, use }
    })
    const sorted = held.sort((a, b) => a.number - b.number || (a.id < b.id ? -1 : 1))
    const rows = await Promise.all(
      sorted.map(async ({ id, asset, value, number, use }) => {
        return [
          id,
          await moneyText(session, asset, value),
          number === 0 ? 'deposit' : `block ${number}`,
          USES[use] ?? use,
        ]
      }),
    )
    const { json, words } = standing(session)
    const none = 'This wallet holds nothing: kerros plasma deposit puts something in'
    const text = rows.length === 0 ? none : table(['output', 'amount', 'from', 'use'], rows)
    return { json: { owner: session.wallet.owner, ...json, outputs: sorted }, text: words ? `${text}\n${words}` : text }
  })
}

const USES: Readonly<Record<string, string>> = {
  free: 'can be spent',
  paying: 'in a payment',
  leaving: 'leaves: plasma exits',
}

/** What has happened to the wallet, the newest last. */
export function history(call: Call): Promise<Answer> {
  return withWallet(call, LEFT, async (session) => {
    const { wallet, store } = session
    const all = deedsOf(wallet.state, store, toldTo(wallet.state, store))
    const count = Number(call.options.last ?? 50)
    const deeds = all.slice(Math.max(0, all.length - (Number.isSafeInteger(count) ? count : 50)))
    const rows = await Promise.all(deeds.map((deed) => deedRow(session, deed)))
    const earlier = all.length - deeds.length
    const more = earlier > 0 ? `\n${earlier} came before: --last ${all.length} tells them, too` : ''
    const text =
      rows.length === 0 ? 'Nothing has happened yet.' : `${table(['when', 'what', 'amount', 'who', 'id'], rows)}${more}`
    return { json: { owner: wallet.owner, earlier, deeds }, text }
  })
}

async function deedRow(session: Session, deed: Deed): Promise<readonly string[]> {
  const { time, kind, asset, amount, who, id, memo } = deed
  const when = time === 0 ? 'open' : new Date(time * 1000).toISOString().slice(0, 16).replace('T', ' ')
  const what = deed.number > 0 && deed.time > 0 ? `${kind} in block ${deed.number}` : kind
  const note = memoText(memo)
  return [when, what, await moneyText(session, asset, amount), who.join(', '), note ? `${id}  ${note}` : id]
}

/** How far each exit is, what can still happen, and when the money arrives. */
export function exits(call: Call): Promise<Answer> {
  return withWallet(call, LEFT, async (session) => {
    const { wallet, store } = session
    const now = await session.time()
    const all = exitsOf(wallet.state, toldTo(wallet.state, store), now)
    const shown = call.options.all === true ? all : all.filter(({ stage }) => OPEN.has(stage) || stage === 'unpaid')
    const rows = await Promise.all(shown.map((one) => exitText(session, one, now)))
    const hidden = all.length - shown.length
    const none = 'Nothing leaves.'
    const over = hidden > 0 ? `\n\n${hidden} are over: --all tells them, too` : ''
    return { json: { owner: wallet.owner, now, exits: shown, over: hidden }, text: (rows.join('\n\n') || none) + over }
  })
}

const OPEN: ReadonlySet<ExitView['stage']> = new Set(['running', 'payable', 'joinable'])

async function exitText(session: Session, view: ExitView, now: number): Promise<string> {
  const { kind, id, asset, amount, bond, outputs, stage, exitableAt, isFinal } = view
  const names = { output: 'exit', group: `exit of ${outputs.length}`, inFlight: 'in flight' }
  return facts([
    [names[kind], id],
    ['amount', await moneyText(session, asset, amount)],
    ['bond', bondText(bond, stage)],
    ['stage', `${stageText(view, now)}${isFinal ? '' : '; its block is not final yet'}`],
    ['money', OPEN.has(stage) ? `${formatMoment(exitableAt, now)} at the earliest` : undefined],
  ])
}

function bondText(bond: bigint, stage: ExitView['stage']): string {
  const money = formatMoney(bond, ETH)
  if (stage === 'challenged' || stage === 'cancelled') return `${money}, lost`
  return OPEN.has(stage) ? `${money}, comes back with the money` : money
}

/** What an exit waits for, and what can still happen to it. */
export function stageText({ stage, half, ahead, paid }: ExitView, now: number): string {
  const turn = ahead === 0 ? 'it is the next' : `${ahead} are paid before it`
  const ends: Readonly<Record<ExitView['stage'], string>> = {
    joinable: `whose it is may piggyback, and anybody may show a competing spend, ${half === null ? '' : formatMoment(half, now)}`,
    running: 'waits: whoever can show that it was spent may void it until it is paid',
    payable: `may be paid now (${turn}): kerros plasma process, or whoever does it`,
    paid: paid === null ? 'paid' : 'paid: on layer 1, or as a credit or in escrow',
    challenged: 'void: somebody has shown that it was spent; half of the bond is the challenger’s',
    cancelled: 'taken back by its owner',
    dropped: 'over: all of it had been paid before',
    unpaid: 'left unpaid: the chain had too little of it; it may be started again',
    processed: paid === null ? 'over: none of it was paid' : 'paid: on layer 1, or as a credit or in escrow',
  }
  return ends[stage]
}

/** An id for people: enough of its beginning. */
export function brief(id: Hex): string {
  return id.slice(0, 12)
}
