import type { Refusal } from '../../../core/base/Step.ts'
import { explain } from '../../../edge/http/Problem.ts'

type Args = Refusal['args']

/** What each refusal of a wallet or of the court means to whoever typed a command: what was had, needed, what to do. */
const SENTENCES: Readonly<Record<string, (...args: Args) => string>> = {
  ChainBad: (number) =>
    `Block ${number} of this chain is invalid or withheld: take out what you have with kerros plasma exit-all, now`,
  NotSynced: (have, need) =>
    `Blocks up to ${have} are checked, and layer 1 has ${need}: the operator does not serve what is between; try again, or leave with kerros plasma exit-all if it stays away`,
  InsufficientFunds: (have, need) =>
    `${have} smallest units can be spent in one payment, and it needs ${need}: pay less, join outputs by paying yourself, or deposit more`,
  MalformedOwner: (owner) => `"${owner}" is no address: write 0x and 40 hexadecimal digits`,
  OutputInUse: (id, use) =>
    use === 'paying'
      ? `Output ${id} is in a payment that is not settled: wait for its end, see to it with kerros plasma fly, or add --anyway and risk half of the bond`
      : `Output ${id} is on its way to layer 1 already: kerros plasma exits tells how far it is`,
  UnknownOutput: (id) => `This wallet holds no output ${id}: kerros plasma outputs tells those it has`,
  UnknownPayment: (hash) => `This wallet has no open payment ${hash}: kerros plasma history tells those that it made`,
  NothingLeft: (hash) =>
    `Nothing of yours is left to piggyback in an in-flight exit of ${hash}: kerros plasma exits tells what runs`,
  NoCredit: (asset, owner) => `The court keeps nothing of ${asset} for ${owner}: there is nothing to claim`,
  Finalised: (id) => `Output ${id} was paid out or consumed on layer 1 already: there is nothing to take`,
  WrongStatus: (id) => `Output ${id} is not what it has to be on layer 1: it was deposited, paid or consumed before`,
  WrongBond: (have, least, most) =>
    `The bond was ${have} wei, from ${least} to ${most} is needed: the price of gas has moved, try again`,
  UnknownChain: (chain) => `Chain ${chain} is not registered on layer 1: wait for its operator, or check plasma.json`,
  NotOperator: (have, need) => `This key is of ${have}, and the chain's operator is ${need}: use that one's folder`,
  ForeignHeader: (number) =>
    `Layer 1 has a block ${number} that this store did not make: the store is an older copy, or two operators run with one key; stop all and go on with the newest store`,
  ReorgTooDeep: (number) =>
    `Layer 1 took back block ${number}, which counted as final: raise "confirmations" in plasma.json and make a new folder for this key`,
  StoreDiffers: (number) => `Block ${number} in this store is not what its header says: put a good copy back`,
  ERC20InsufficientBalance: (owner, have, need) => `${owner} has ${have} of the token's units, and needs ${need}`,
  NoCode: (asset) => `There is no contract at ${asset}: check --asset`,
  WrongTransfer: () => 'The token moved another amount than it was told to: the chain does not take such tokens',
}

/** The sentence of a refusal; one that came over HTTP carries its own. */
export function sentence(why: Refusal): string {
  const [first] = why.args
  if (why.args.length === 1 && typeof first === 'string' && first.includes(' ')) return first
  const own = SENTENCES[why.code]
  if (own && why.args.length >= own.length) return own(...why.args)
  const told = explain(why)
  return told === why.message ? `Refused: ${told}` : told
}
