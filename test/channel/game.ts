import fc from 'fast-check'
import { ETHER, type Hex, uint } from '../../src/core/base/Bytes.ts'
import { sign } from '../../src/core/base/Signature.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import {
  authorizationDigest,
  authorizationNonce,
  authorizedPayer,
  permit2Digest,
  permit2Payer,
  permitDigest,
  permitFields,
} from '../../src/core/channel/Authorization.ts'
import type { ChannelCall, Payer, SignedState } from '../../src/core/channel/Call.ts'
import { NO_STATE } from '../../src/core/channel/Challenge.ts'
import { type Channel, challengeDigest, channelId, MAX_NET, withdrawalDigest } from '../../src/core/channel/Channel.ts'
import { callValue } from '../../src/core/channel/Funding.ts'
import { type Lock, locksRoot, tally } from '../../src/core/channel/Lock.ts'
import { recordOf } from '../../src/core/channel/Record.ts'
import { permitted, separatorOf } from './purse.ts'
import {
  alice,
  bob,
  carol,
  conclusion,
  coSigned,
  playBatch,
  playFast,
  type Stage,
  stranger,
  terms,
  UNIT,
} from './stage.ts'

const PEOPLE = [alice, bob, carol, stranger]
/** So many preimages and condition keys are shared by all locks of a game: equal keys are common. */
const KEYS = 24

/** How often each act is drawn; `sign`, `turn`, `decide`, `approve` and `reopen` are not calls to the court. */
const WEIGHTS = {
  deposit: 4,
  depositWithPermit: 3,
  depositWithAuthorization: 4,
  openBoth: 3,
  deposits: 1,
  sign: 9,
  withdraw: 4,
  conclude: 1,
  challenge: 7,
  challengeFor: 3,
  answer: 6,
  settle: 9,
  claimCredit: 6,
  reveal: 3,
  judge: 3,
  sweep: 2,
  batch: 3,
  turn: 3,
  decide: 1,
  approve: 1,
  reopen: 3,
} as const

type Deed = keyof typeof WEIGHTS

/** One random act; the numbers are folded into whatever is there to choose from when it is played. */
export interface Act {
  readonly verb: Deed
  readonly on: number
  readonly who: number
  readonly pick: number
  readonly amount: bigint
  /** Seconds to wait; below zero: until the clock's deadline, 3 = one second before it. */
  readonly wait: number
}

const deeds = (Object.keys(WEIGHTS) as Deed[]).flatMap((verb) => Array<Deed>(WEIGHTS[verb]).fill(verb))

/** A random act. */
export const act: fc.Arbitrary<Act> = fc.record({
  verb: fc.constantFrom<Deed[]>(...deeds),
  on: fc.nat(4),
  who: fc.nat(3),
  pick: fc.nat(2 ** 24),
  amount: fc.bigInt(-3n * UNIT, 3n * UNIT),
  wait: fc.constantFrom(1, 1, 1, 1, 1, 1, 2, 60, 1800, -3, -2, -1, -1, 90_000),
})

type Authorized = Extract<ChannelCall, { verb: 'depositWithAuthorization' }>

/** A game: channels of five kinds, every state, list and withdrawal ever signed in them. */
export interface Game {
  readonly on: Stage
  readonly channels: Channel[]
  readonly signed: SignedState[][]
  readonly lists: Map<Hex, Hex>
  readonly withdrawals: ChannelCall[][]
  /** Every signature for tokens ever given, with the call that it was meant for. */
  readonly authorized: Authorized[]
  salts: number
}

/** A game that nobody has played in. */
export function newGame(on: Stage): Game {
  const game: Game = { on, channels: [], signed: [], lists: new Map(), withdrawals: [], authorized: [], salts: 0 }
  for (let which = 0; which < 5; which++) reopen(game, which)
  return game
}

function reopen(game: Game, which: number): void {
  const { on } = game
  const apart = {
    a: { owner: on.receiverAddress, signer: alice.address },
    b: { owner: carol.address, signer: bob.address },
  }
  const kinds: readonly (readonly [Hex, Partial<Channel>])[] = [
    [ETHER, {}],
    [on.tokenAddress, { bond: UNIT / 10n }],
    [ETHER, { ...apart, bond: 2n ** 96n - 1n }],
    [ETHER, { challengePeriod: 0, bond: UNIT }],
    [on.tokenAddress, apart],
  ]
  const [asset, change] = kinds[which]!
  game.channels[which] = terms(asset, ++game.salts, change)
  game.signed[which] = [NO_STATE]
  game.withdrawals[which] = []
}

/** Plays one act on contract and model, which must agree; says how it ended. */
export async function perform(game: Game, next: Act): Promise<string> {
  const { on } = game
  const { verb, who, pick } = next
  const time = timeOf(game, next)
  const sender = PEOPLE[who]!.address
  if (verb === 'sign') return signState(game, next)
  if (verb === 'turn' || verb === 'decide') return turn(on, verb, next)
  if (verb === 'approve') return approve(on, sender)
  if (verb === 'reopen') {
    const channel = game.channels[next.on]!
    const { closed, openLocks } = recordOf(on.model, channel.asset, channelId(on.domain, channel))
    if (closed && (!openLocks || pick % 4 === 0)) reopen(game, next.on)
    return 'done'
  }
  if (verb === 'batch') {
    const calls = Array.from({ length: 2 + (pick % 3) }, (_, i) =>
      callOf(game, { ...next, verb: BATCHED[(pick >> i) % BATCHED.length]!, on: (next.on + i) % 5, pick: pick >> i }),
    )
    await playBatch(on, calls, { sender, time })
    for (const call of calls) remember(game, call)
    return 'done'
  }
  const call = callOf(game, { ...next, verb })
  if (call.verb === 'depositWithPermit' && pick % 5 === 0) await usePermit(on, call, sender)
  const off = pick % 29 === 28 && PAYABLE.includes(verb) ? { value: callValue(call) + 1n } : {}
  const { refused } = await playFast(on, call, { sender, time: Math.max(time, on.time + 1), ...off })
  remember(game, call)
  return refused ?? 'done'
}

const PAYABLE: readonly string[] = ['deposit', 'openBoth', 'deposits', 'challenge', 'challengeFor']
const BATCHED = [
  'answer',
  'answer',
  'settle',
  'withdraw',
  'challenge',
  'reveal',
  'claimCredit',
  'sweep',
  'depositWithAuthorization',
] as const

function timeOf({ on, channels }: Game, { on: which, wait }: Act): number {
  if (wait > 0) return on.time + wait
  const channel = channels[which]!
  const { deadline } = recordOf(on.model, channel.asset, channelId(on.domain, channel))
  return Math.max(on.time + 1, deadline + 2 + wait)
}

/** What a settlement left open is the list of the next one. */
function remember({ on, lists }: Game, call: ChannelCall): void {
  if (call.verb !== 'settle' || call.locks === '0x') return
  const { rest } = tally(call.locks, on.model.verdicts, on.time)
  lists.set(locksRoot(rest), rest)
}

function signState({ on, channels, signed, lists }: Game, { on: which, pick, amount }: Act): string {
  const states = signed[which]!
  const count = [0, 0, 1, 2, 5][pick % 5]!
  const locks = Array.from({ length: count }, (_, i) => lockOf(on, pick >> i, BigInt(states.length * 8 + i)))
  const keys = pick % 23 === 0 ? [alice.key, undefined] : pick % 23 === 1 ? [undefined, bob.key] : undefined
  const net = pick % 41 === 0 ? MAX_NET : pick % 41 === 1 ? -MAX_NET - 1n : amount
  const state = coSigned(on, channels[which]!, BigInt(states.length), net, keys, uint(pick, 32), locks)
  states.push(state)
  lists.set(locksRoot(state.locks), state.locks)
  return 'done'
}

function lockOf(on: Stage, pick: number, id: bigint): Lock {
  const key = (pick >> 3) % KEYS
  const judged = pick % 3 === 0
  return {
    toB: pick % 2 === 0,
    id,
    amount: pick % 31 === 0 ? 2n ** 128n - 1n : (BigInt(1 + (pick % 13)) * UNIT) / 10n,
    expiry: on.time + [0, 900, 3600, 7200, 100_000][pick % 5]!,
    condition: judged ? on.conditionAddress : ETHER,
    key: judged ? uint(key, 32) : hashLock(uint(key, 32)),
  }
}

/** The receiver of ether, or the condition, changes its mind. */
async function turn(on: Stage, verb: 'turn' | 'decide', { pick, amount }: Act): Promise<string> {
  if (verb === 'turn') on.refusing = !on.refusing
  else on.verdict = pick % 4 === 0 ? undefined : amount < 0n ? 0n : amount
  const { receiver, receiverAddress, condition, conditionAddress } = on
  const [to, data] =
    verb === 'turn'
      ? [receiverAddress, receiver.interface.encodeFunctionData('behave', [on.refusing ? 1 : 0, ETHER, '0x'])]
      : [
          conditionAddress,
          condition.interface.encodeFunctionData('behave', [on.verdict === undefined ? 1 : 0, on.verdict ?? 0n]),
        ]
  return outside(on, stranger.address, to, data)
}

/** A transaction to somebody else than the court. */
async function outside(on: Stage, from: Hex, to: Hex, data: string): Promise<string> {
  on.time += 1
  await on.connection.networkHelpers.time.setNextBlockTimestamp(on.time)
  const request = { from, to, data, gas: '0xf0000', gasPrice: '0x0' }
  await on.connection.provider.request({ method: 'eth_sendTransaction', params: [request] })
  return 'done'
}

/** Lets the court take everything again, after a permit has let it take only so much. */
async function approve(on: Stage, sender: Hex): Promise<string> {
  const allowances = new Map(on.purse.allowances)
  allowances.delete(sender)
  on.purse = { ...on.purse, allowances }
  const data = on.token.interface.encodeFunctionData('approve', [on.domain.court, 2n ** 256n - 1n])
  return outside(on, sender, on.tokenAddress, data)
}

/** Somebody shows the sender's permit to the token before the sender does, if it is good. */
async function usePermit(on: Stage, call: Permit, owner: Hex): Promise<void> {
  const { domain: court, tokenAddress: token } = on
  const after = permitted(on.purse, call, owner, { court, token, sender: owner, time: on.time + 1 })
  if (after === on.purse) return
  on.purse = after
  const { amount, deadline, v, r, s } = call
  const data = on.token.interface.encodeFunctionData('permit', [owner, court.court, amount, deadline, v, r, s])
  await outside(on, stranger.address, token, data)
}

type Permit = Extract<ChannelCall, { verb: 'depositWithPermit' }>

type CallDeed = Exclude<Deed, 'sign' | 'turn' | 'decide' | 'approve' | 'reopen' | 'batch'>

function callOf(game: Game, next: Act & { verb: CallDeed }): ChannelCall {
  const { on, channels, signed, lists } = game
  const { verb, on: which, who, pick, amount } = next
  const channel = channels[which]!
  const states = signed[which]!
  const id = channelId(on.domain, channel)
  // Mostly one of the newest states, sometimes any.
  const state = states[pick % 3 === 0 ? pick % states.length : states.length - 1]!
  const positive = amount < 0n ? -amount : amount
  const assets = [ETHER, on.tokenAddress] as const
  const toB = pick % 2 === 1
  switch (verb) {
    case 'deposit':
      return { verb, asset: pick % 9 === 0 ? assets[pick & 1]! : channel.asset, channelId: id, toB, amount: positive }
    case 'depositWithPermit':
      return permit(game, next, id)
    case 'depositWithAuthorization':
      return authorization(game, next, id)
    case 'openBoth': {
      const asset = pick % 4 === 0 ? ETHER : on.tokenAddress
      const amountB = UNIT + positive / 2n
      const payer = payerOf(game, next, id, toB, toB ? amountB : positive)
      return { verb, asset, channelId: id, amountA: positive, amountB, payerIsB: toB, payer }
    }
    case 'deposits': {
      const list = channels.slice(0, 1 + (pick % 5)).map((one, i) => ({
        channelId: channelId(on.domain, one),
        toB: ((pick >> i) & 1) === 1,
        amount: positive / BigInt(i + 1),
      }))
      return { verb, list }
    }
    case 'withdraw':
      return withdrawal(game, next)
    case 'conclude':
      return conclusion(on, channel, amount, pick % 3 === 0 ? [alice.key, undefined] : undefined)
    case 'challengeFor': {
      const deadline = on.time + [0, 1, 2, 4000][pick % 4]!
      const sig = sign(challengeDigest(on.domain, id, state.version, deadline), PEOPLE[(who + 1) % 4]!.key)
      return { verb, channel, state, deadline, sig }
    }
    case 'challenge':
    case 'answer':
      return { verb, channel, state }
    case 'settle': {
      const { locksRoot: root } = recordOf(on.model, channel.asset, id)
      return { verb, channel, locks: pick % 8 === 0 ? state.locks : (lists.get(root) ?? '0x') }
    }
    case 'claimCredit': {
      const to = PEOPLE[pick % 4]!.address
      return {
        verb,
        asset: assets[pick % 7 === 0 ? 1 : 0]!,
        owner: pick % 3 ? on.receiverAddress : to,
        to: pick % 3 === 1 ? on.receiverAddress : to,
      }
    }
    case 'reveal':
      return { verb, preimages: [uint(pick % KEYS, 32), uint((pick >> 6) % KEYS, 32)] }
    case 'judge':
      return { verb, condition: pick % 11 === 0 ? ETHER : on.conditionAddress, key: uint((pick >> 3) % KEYS, 32) }
    case 'sweep':
      return { verb, channel, asset: pick % 8 === 0 ? channel.asset : assets[channel.asset === ETHER ? 1 : 0]! }
  }
}

const LATE = 2n ** 48n

/** A permit of the sender, mostly a good one; else it is another's, too late or for another amount. */
function permit({ on }: Game, { who, pick, amount: any }: Act, id: Hex): Permit {
  const [{ address: owner }, signer] = [PEOPLE[who]!, PEOPLE[pick % 7 === 6 ? (who + 1) % 4 : who]!]
  const amount = any < 0n ? -any : any
  const deadline = pick % 11 === 10 ? BigInt(on.time) : LATE
  const [nonce, value] = [on.purse.permits.get(owner) ?? 0n, pick % 13 === 12 ? amount / 2n : amount]
  const signed = { owner, spender: on.domain.court, value, nonce, deadline }
  const fields = permitFields(signed, sign(permitDigest(separatorOf(on.tokenAddress), signed), signer.key))
  const verb = 'depositWithPermit'
  return { verb, asset: on.tokenAddress, channelId: id, toB: (pick >> 4) % 2 === 1, ...fields, amount }
}

/** Tokens of somebody who has signed; or of an old signature, sometimes for another side, amount or channel. */
function authorization(game: Game, next: Act, id: Hex): Authorized {
  const { pick, amount } = next
  const old = game.authorized[pick % Math.max(1, game.authorized.length)]
  if (old && pick % 4 === 0) {
    const kind = (pick >> 5) % 5
    if (kind === 0) return { ...old, toB: !old.toB }
    if (kind === 1) return { ...old, amount: old.amount + 1n }
    return kind === 2 ? { ...old, channelId: id } : old
  }
  const [toB, positive] = [(pick >> 4) % 2 === 1, amount < 0n ? -amount : amount]
  const payer = payerOf(game, next, id, toB, positive)
  const call: Authorized = {
    verb: 'depositWithAuthorization',
    asset: game.on.tokenAddress,
    channelId: id,
    toB,
    amount: positive,
    payer,
  }
  game.authorized.push(call)
  return call
}

/** Somebody's signature for a side of a channel, by ERC-3009 or through Permit2: mostly good, else early, late or cut. */
function payerOf({ on, authorized }: Game, { who, pick }: Act, id: Hex, toB: boolean, amount: bigint): Payer {
  const { address: from, key } = PEOPLE[(who + (pick >> 7)) % 4]!
  const { court, chainId } = on.domain
  const salt = uint(1000 * on.time + authorized.length, 32)
  const until = pick % 17 === 16 ? BigInt(on.time) : LATE
  const cut = (payer: Payer): Payer => (pick % 19 === 18 ? { ...payer, signature: '0x1234' } : payer)
  if (pick % 2 === 0) {
    const permit = { permitted: { token: on.tokenAddress, amount }, nonce: BigInt(salt), deadline: until }
    return cut(permit2Payer(from, permit, sign(permit2Digest(chainId, court, permit, id, toB), key)))
  }
  const nonce = authorizationNonce(id, toB, salt)
  const validAfter = pick % 15 === 14 ? BigInt(on.time + 2) : 0n
  const signed = { from, to: court, value: amount, validAfter, validBefore: until, nonce }
  return cut(authorizedPayer(signed, salt, sign(authorizationDigest(separatorOf(on.tokenAddress), signed), key)))
}

/** A withdrawal a little above the last, or an old one again. */
function withdrawal({ on, channels, withdrawals }: Game, { on: which, pick, amount }: Act): ChannelCall {
  const [channel, old] = [channels[which]!, withdrawals[which]!]
  if (pick % 4 === 0 && old.length > 0) return old[pick % old.length]!
  const id = channelId(on.domain, channel)
  const { withdrawnA, withdrawnB } = recordOf(on.model, channel.asset, id)
  const more = (amount < 0n ? -amount : amount) / 4n
  const totalA = pick % 2 === 0 ? withdrawnA + more : withdrawnA / 2n
  const totalB = pick % 5 > 1 ? withdrawnB + more : 0n
  const deadline = on.time + [0, 1, 5000, 5000][pick % 4]!
  const digest = withdrawalDigest(on.domain, id, totalA, totalB, deadline)
  const sigB = sign(digest, pick % 19 === 0 ? alice.key : bob.key)
  const call: ChannelCall = { verb: 'withdraw', channel, totalA, totalB, deadline, sigA: sign(digest, alice.key), sigB }
  old.push(call)
  return call
}
