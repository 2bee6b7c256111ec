import { type Hex, ZERO } from '../base/Bytes.ts'
import { entries, get, remove, set } from '../base/HashMap.ts'
import type { Machine, Row } from '../base/Step.ts'
import { inclusion } from './Block.ts'
import { collect, fly, join, leave, settle } from './Departure.ts'
import { guardSelf } from './Exodus.ts'
import { type Applied, type FollowerInput, isSynced, progress } from './Follower.ts'
import { observeTries } from './Guard.ts'
import type { Proof } from './Held.ts'
import { observeKept } from './Kept.ts'
import { standingOf } from './Locked.ts'
import { accept, buryHalves, forgetHalf, offer } from './Pairing.ts'
import { deposit, learn, merge, pay } from './Paying.ts'
import {
  heldBy,
  hold,
  idle,
  type Next,
  release,
  reuse,
  say,
  sightOf,
  type WalletInput,
  type WalletOutput,
  type WalletParams,
  type WalletState,
} from './Purse.ts'
import { claimOn, endOf, observeExit, PAID_OUT, touchedBy } from './Running.ts'
import type { SeenEvent } from './Seen.ts'
import { keepSwap, lockLeg } from './Swap.ts'
import { outputId } from './Transaction.ts'

/** The wallet's machine: refuses InsufficientFunds, MalformedOwner, NotSynced, ChainBad, OutputInUse. */
export function walletMachine(params: WalletParams): Machine<WalletState, WalletInput, WalletOutput> {
  return (state, input) => {
    switch (input.kind) {
      case 'deposit':
        return deposit(state, input.asset, input.value, input.salt)
      case 'pay':
        return pay(params, state, input.asset, input.payees, input.fee, input.memo)
      case 'merge':
        return merge(params, state, input.ids, input.fee, input.memo)
      case 'learn':
        return judge(learn(state, input.terms), state)
      case 'swap':
        return judge(keepSwap(state, input.swap), state)
      case 'offer':
        return offer(params, state, input.id, input.payees, input.fee, input.memo)
      case 'accept':
        return accept(params, state, input.half, input.gets)
      case 'lockLeg':
        return lockLeg(params, state, input.hash, input.fee)
      case 'collect':
        return collect(state)
      case 'leave':
        return leave(params, state, input.ids, input.anyway)
      case 'fly':
        return fly(params, state, input.txHash)
      case 'piggyback':
        return join(state, input.txHash)
      case 'process':
        return settle(state, input.asset, input.time)
      case 'sent':
        return onSent(state, input)
      default:
        return onProgress(params, state, input)
    }
  }
}

// What happens

function onSent(state: WalletState, { ids, failed, about, mined }: WalletInput & { readonly kind: 'sent' }): Next {
  const keys = about === undefined ? ids : [about]
  const note = (tried: WalletState['tried'], key: Hex) =>
    failed || mined === undefined ? remove(tried, key) : set(tried, key, mined)
  const step = idle({ ...state, tried: keys.reduce(note, state.tried) })
  return failed ? ids.reduce((now, id) => reuse(now, id, 'leaving', 'free'), step) : step
}

function onProgress(params: WalletParams, state: WalletState, input: FollowerInput): Next {
  const made = progress(state.follower, input)
  let step: Next = { state: { ...state, follower: made.follower }, rows: made.rows, outputs: [] }
  for (const { time, events } of made.fresh) step = events.reduce((now, event) => onEvent(now, event, time), step)
  if (made.applied) step = onApplied(step, made.applied)
  if (made.passed) step = bury(step, made.passed.number)
  step = judge(step, state)
  if (made.bad) step = say(step, { kind: 'bad', number: made.bad.number, why: made.bad.why })
  if (made.fetch !== undefined) step = say(step, { kind: 'fetch', number: made.fetch })
  const guarded = isSynced(made.follower) ? guardSelf(params, step) : step
  return made.applied || input.kind === 'tick' ? again(guarded) : guarded
}

/** What a lock has decided since `before` may be spent, or is held no more. */
function judge(step: Next, before: WalletState): Next {
  if (step.state.locks.size + step.state.running.terms.size === 0) return step
  const locked = heldBy(step.state).filter(({ output }) => output.lock !== ZERO)
  const [then, now] = [sightOf(before), sightOf(step.state)]
  return locked.reduce((made, { id, output }) => {
    const standing = standingOf(now, output)
    if (standing === 'undecided' || standing === 'unknown' || standing === standingOf(then, output)) return made
    const said = { kind: 'decided', id, output, mine: standing === 'mine' } as const
    return say(standing === 'mine' ? made : release(made, id), said)
  }, step)
}

/** A payment that is not settled is told to the operator again, unless what it spends is leaving. */
function again(step: Next): Next {
  const pays = (id: Hex) => get(step.state.held, id)?.use === 'paying'
  const open = [...entries(step.state.payments)].filter(([, { transaction }]) => transaction.inputs.every(pays))
  return say(step, ...open.map(([hash, signed]) => ({ kind: 'submit' as const, txHash: hash, signed })))
}

function onEvent(step: Next, event: SeenEvent, time: number): Next {
  const { running, owner } = step.state
  const touched = touchedBy(running, event)
  const tries = observeTries(step.state.tries, running, event)
  const after = observeExit(running, event, time)
  const kept = observeKept(step.state.kept, event, after)
  const now = { ...step, state: { ...step.state, tries, running: after, kept } }
  if (event.name === 'Deposited' && event.owner === owner) return onDeposited(now, event)
  const ends = event.name !== 'InFlightStarted'
  const seen = touched.reduce((made, id) => onTouched(made, id, ends), now)
  return event.name === 'InFlightProcessed' && event.canonical ? close(seen, event.txHash) : seen
}

/** What layer 1 has paid or consumed is held no more; what it has a claim on is leaving, and else free again. */
function onTouched(step: Next, id: Hex, ends: boolean): Next {
  const { running, held } = step.state
  const one = get(held, id)
  const ended = endOf(running, id)
  if (!one || ended === undefined) {
    if (claimOn(running, id, ZERO)) return reuse(step, id, 'free', 'leaving')
    return ends ? reuse(step, id, 'leaving', 'free') : step
  }
  const gone = release(step, id)
  if (ended !== PAID_OUT) return gone
  const { output } = one
  return say(gone, output.lock === ZERO ? { kind: 'left', id, amount: output.value } : { kind: 'escrowed', id, output })
}

/** A payment that layer 1 has carried out itself needs no block any more. */
function close(step: Next, hash: Hex): Next {
  return get(step.state.payments, hash) ? forget(step, hash) : step
}

function onDeposited(step: Next, event: SeenEvent & { readonly name: 'Deposited' }): Next {
  const { id, chain, sender, salt, owner, asset, value } = event
  const proof: Proof = { kind: 'deposit', deposit: { chain, sender, salt, owner, asset, value } }
  const output = { owner, asset, value, lock: ZERO }
  return say(hold(step, { id, output, proof, use: 'free' }), { kind: 'deposited', id, output })
}

function onApplied(step: Next, applied: Applied): Next {
  let now = step
  applied.transactions.forEach(({ transaction }, index) => {
    for (const id of transaction.inputs) now = release(now, id)
    now = forgetHalf(end(now, applied.hashes[index]!, applied.commitment.number), applied.hashes[index]!)
    now = receive(now, applied, index)
  })
  return buryHalves(bury(now, applied.commitment.number), applied.commitment.number)
}

function end(step: Next, hash: Hex, number: number): Next {
  if (!get(step.state.payments, hash)) return step
  return say(forget(step, hash), { kind: 'paid', txHash: hash, number })
}

function forget(step: Next, hash: Hex): Next {
  const row: Row = { table: 'payments', key: hash, value: undefined }
  const state = { ...step.state, payments: remove(step.state.payments, hash) }
  return { ...step, state, rows: [...step.rows, row] }
}

function receive(step: Next, applied: Applied, index: number): Next {
  let now = step
  const { transaction } = applied.transactions[index]!
  transaction.outputs.forEach((output, position) => {
    if (standingOf(sightOf(step.state), output) === 'theirs') return
    const id = outputId(applied.hashes[index]!, position)
    const shown = inclusion(applied.tree, index, applied.commitment, applied.childrenRoot, applied.levels)
    const proof: Proof = { kind: 'output', transaction, position, inclusion: shown }
    now = say(hold(now, { id, output, use: 'free', proof }), {
      kind: 'received',
      id,
      output,
      number: applied.commitment.number,
    })
    // L1 may have told of the exits of a block's outputs before the block came.
    now = onTouched(now, id, true)
  })
  return now
}

/**
 * Payments that no block up to their last one has are dead, unless layer 1 may still carry them out: what they would have
 * spent is free again.
 */
function bury(step: Next, number: number): Next {
  let now = step
  for (const [hash, { transaction }] of entries(step.state.payments)) {
    if (transaction.lastBlock > number || get(step.state.running.inFlight, hash)) continue
    now = transaction.inputs.reduce((made, id) => reuse(made, id, 'paying', 'free'), forget(now, hash))
    now = say(now, { kind: 'failed', txHash: hash })
  }
  return now
}
