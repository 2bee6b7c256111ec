import type { Inclusion } from '../../../src/core/plasma/Block.ts'
import type { InFlightExit, Source } from '../../../src/core/plasma/InFlightExit.ts'
import { type Deposit, depositId, outputId, type Transaction, txHash } from '../../../src/core/plasma/Transaction.ts'
import type { Account } from '../../../src/edge/chain/LocalAccounts.ts'
import { process } from './exits.ts'
import {
  alice,
  as,
  type Bench,
  bob,
  bonded,
  carol,
  type Gas,
  gasOf,
  halves,
  MFP,
  mined,
  paymentOf,
  type Sealed,
  seal,
  signed,
} from './ground.ts'

/** A transaction in flight whose inputs are in a block: halves of payments that came back to alice. */
interface InFlight {
  readonly tx: Transaction
  readonly sources: readonly Source[]
}

interface Started {
  readonly exit: InFlightExit
  readonly gas: number
}

/** In-flight exits of inputs that are in blocks older than the exit period: every verb, and payment. Needs 40 deposits. */
export async function measureInFlight(bench: Bench, deposits: readonly Deposit[]): Promise<Gas> {
  const block = await seal(
    bench,
    deposits.map((one, i) => paymentOf(bench, [depositId(one)], i)),
  )
  await bench.connection.networkHelpers.time.increase(MFP)
  const flights = new Flights(bench, block)
  await start(bench, flights, [alice])
  const one = await start(bench, flights, [alice])
  const two = await start(bench, flights, [alice, alice])
  const four = await start(bench, flights, [alice, alice, alice, alice])
  return {
    'plasma.inflight.1x1': one.gas,
    'plasma.inflight.2x2': two.gas,
    'plasma.inflight.4x4': four.gas,
    ...(await measureGame(bench, flights)),
    ...(await measurePayment(bench, flights)),
  }
}

/** Hands out payments that spend what no other one does. */
class Flights {
  #used = 0
  readonly #bench: Bench
  readonly #block: Sealed
  /** All exits of them, in the order of their starts. */
  readonly started: InFlightExit[] = []
  constructor(bench: Bench, block: Sealed) {
    this.#bench = bench
    this.#block = block
  }

  next(inputs: number, owners: readonly Account[]): InFlight {
    const sources: Source[] = []
    for (let i = 0; i < inputs; i++, this.#used++) {
      const tx = this.#block.txs[this.#used]!
      sources.push({ deposited: [], tx: [tx], output: 1, inclusion: [this.#block.proofs[this.#used]!] })
    }
    const ids = sources.map(({ tx }) => outputId(txHash(this.#bench.under, tx[0]!), 1))
    const outputs = halves(owners).map((output) => ({ ...output, value: output.value / BigInt(owners.length) }))
    return { tx: paymentOf(this.#bench, ids, 1000 + this.#used, outputs), sources }
  }
}

/** Alice, whose inputs they are, starts the exit of a payment with as many inputs as outputs. */
async function start(bench: Bench, flights: Flights, owners: readonly Account[]): Promise<Started> {
  const { tx, sources } = flights.next(owners.length, owners)
  const positions = owners.length + owners.filter((owner) => owner === alice).length
  const court = await as(bench, alice)
  const signature = signed(bench, tx, alice)
  const sent = court.startInFlight(
    [...bench.path],
    tx as never,
    signature,
    sources as never,
    [],
    bonded(bench, 1 + positions),
  )
  const { gasUsed, logs } = await mined(sent)
  const { inFlight } = court.interface.decodeEventLog('InFlightStarted', logs[0]!.data, logs[0]!.topics)
  const exit: InFlightExit = {
    tx,
    spent: sources.map((source) => source.tx[0]!.outputs[source.output]!),
    start: Number(inFlight.start),
    exitableAt: Number(inFlight.exitableAt),
    bond: inFlight.bond as bigint,
    starter: alice.address,
    late: inFlight.late as boolean,
  }
  flights.started.push(exit)
  return { exit, gas: Number(gasUsed) }
}

/** Piggybacks, competitors, a response and a challenge of exits with two inputs and two outputs. */
async function measureGame(bench: Bench, flights: Flights): Promise<Gas> {
  const path = [...bench.path]
  const [first, second] = [await startShared(bench, flights), await startShared(bench, flights)]
  const piggyback = await gasOf((await as(bench, bob)).piggyback(first.exit as never, 1 << 4, [], bonds(bench, first)))
  await (await as(bench, bob)).piggyback(second.exit as never, 1 << 4, [], bonds(bench, second))
  const double = (of: Started, memo: number) => paymentOf(bench, [of.exit.tx.inputs[0]!], memo)
  const rivals = [double(first, 1), double(second, 2)]
  const proofs = (await seal(bench, rivals)).proofs
  const compete = async (of: Started, tx: Transaction, inclusion: readonly Inclusion[]) => {
    const spend = { tx, input: 0, authorisation: signed(bench, tx, alice), inclusion }
    return gasOf((await as(bench, carol)).compete(path, of.exit as never, 0, spend as never, []))
  }
  const live = await compete(first, rivals[0]!, [])
  const included = await compete(second, rivals[1]!, [proofs[1]!])
  const own = (await seal(bench, [first.exit.tx])).proofs[0]!
  const respond = await gasOf((await as(bench, carol)).respond(path, first.exit as never, own as never))
  const onward = paymentOf(bench, [outputId(txHash(bench.under, first.exit.tx), 0)], 3)
  const spend = { tx: onward, input: 0, authorisation: signed(bench, onward, bob), inclusion: [] }
  const court = await as(bench, carol)
  return {
    'plasma.piggyback': piggyback,
    'plasma.competitor': live,
    'plasma.competitor.included': included,
    'plasma.respond': respond,
    'plasma.challengeOutput': await gasOf(court.challengeOutput(path, first.exit as never, 4, spend as never, [])),
  }
}

function bonds(bench: Bench, { exit }: Started) {
  return { ...bonded(bench), value: exit.bond }
}

/** Alice pays bob and herself; she has started, so her inputs and her output are piggybacked. */
async function startShared(bench: Bench, flights: Flights): Promise<Started> {
  return start(bench, flights, [bob, alice])
}

/** Both outputs are paid, after the queue has paid all that started before, such an exit among them. */
async function measurePayment(bench: Bench, flights: Flights): Promise<Gas> {
  for (let i = 0; i < 2; i++) {
    const shared = await startShared(bench, flights)
    await (await as(bench, bob)).piggyback(shared.exit as never, 1 << 4, [], bonds(bench, shared))
  }
  await bench.connection.networkHelpers.time.increase(2 * MFP)
  const all = flights.started
  await process(bench, [], [], all.slice(0, -1))
  return { 'plasma.process.inflight': await process(bench, [], [], all.slice(-1)) }
}
