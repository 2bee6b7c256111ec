import { Refusal } from '../../core/base/Step.ts'
import { Fault } from '../Fault.ts'

/** An answer that is not a success, as RFC 9457 wants it: `code` is for programs, `detail` a sentence for people. */
export interface Problem {
  readonly status: number
  readonly code: string
  readonly detail: string
}

type Args = readonly (string | number | bigint | boolean)[]

/** What each refusal means to whoever sent the transaction: what was had, what was needed, what to do. */
const SENTENCES: Readonly<Record<string, (...args: Args) => string>> = {
  WrongChain: (have, need) => `The transaction is for chain ${have}, this is ${need}; ask its own operator.`,
  Expired: (have, need) => `The transaction ends with block ${have}, block ${need} is being built; sign a new one.`,
  NoInputs: () => 'A transaction needs 1 to 4 inputs; only the operator makes one without.',
  TooManyInputs: (have, need) => `The transaction has ${have} inputs, at most ${need} are allowed; make two of it.`,
  WrongOutputCount: (have, need) => `The transaction has ${have} outputs, it needs 1 to ${need}.`,
  ZeroOwner: () => 'An output has the zero address as its owner; name who shall own it.',
  ZeroValue: () => 'An output has the value 0; leave it away.',
  ValueTooLarge: (have) => `An output has the value ${have}, which is not below 2^256.`,
  WrongLock: (have, need) =>
    `The terms given make the lock ${have}, the input has ${need}; name its own terms, in order.`,
  Undecided: (lock) =>
    `Nobody has decided lock ${lock} yet: reveal its preimage, wait for its expiry, or let both sides sign.`,
  RepeatedInput: (id) => `Input ${id} is named twice; name it once.`,
  UnknownInput: (id) => `Input ${id} is not an unspent output here: it is spent, or not on this chain yet.`,
  TooYoung: (have, need) => `An input is an output of block ${have} itself; spend it after block ${need} is sealed.`,
  FrozenInput: (id) => `An exit of input ${id} is running; it can be spent only if the exit ends unpaid.`,
  MixedOwners: (have, need) => `The inputs belong to ${have} and ${need}; all must belong to one owner.`,
  Unbalanced: (asset, have, need) => `The inputs have ${have} of ${asset}, the outputs need ${need}; pay less.`,
  WrongSigner: (have, need) => `The signature is of ${have}, but the inputs belong to ${need}; let the owner sign.`,
  NotApproved: (payee, hash) => `${payee} has not approved ${hash} on layer 1; sign it, or approve it and wait.`,
  FeeTooLow: (asset, have, need) => `The transaction leaves ${have} of ${asset}, the fee is ${need}; leave more.`,
  Backlogged: (have, need) => `${have} blocks or transactions wait for layer 1, at most ${need} may; try again later.`,
  UnknownSlot: (slot) => `No child is registered in slot ${slot} on layer 1, or not finally yet.`,
  NotTendered: (have, need) =>
    `Block ${have} takes no headers of children; ask for the tender${need === 0 ? '' : `, it is ${need} now`}.`,
  SlotFilled: (slot) => `Another header was signed for slot ${slot} of this block; the first one stays.`,
  WrongHeader: (id, have, need) => `The header of ${id} is signed by ${have}, its operator is ${need}.`,
  UnknownBlock: (number) => `There is no sealed block ${number} yet.`,
  UnknownOutput: (id) => `${id} is not an unspent output of a committed block.`,
}

const STATUS: Readonly<Record<string, number>> = { UnknownBlock: 404, UnknownOutput: 404, Backlogged: 503 }

/** The sentence of a refusal. */
export function explain(refusal: Refusal): string {
  return SENTENCES[refusal.code]?.(...refusal.args) ?? refusal.message
}

/** What to answer where this was thrown; nothing of an unexpected error leaves the house but that it happened. */
export function problemOf(why: unknown): Problem {
  if (why instanceof Refusal) {
    return { status: STATUS[why.code] ?? 422, code: why.code, detail: explain(why) }
  }
  if (why instanceof Fault)
    return { status: 503, code: 'Unavailable', detail: 'The operator cannot answer; try again.' }
  return { status: 500, code: 'Internal', detail: 'The operator failed to answer; try again, and tell who runs it.' }
}
