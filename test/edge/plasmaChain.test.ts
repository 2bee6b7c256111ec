import { expect } from 'chai'
import { ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { rootOf } from '../../src/core/base/Merkle.ts'
import { domain, sign } from '../../src/core/base/Signature.ts'
import { header, inclusion, txTree } from '../../src/core/plasma/Block.ts'
import type { PlasmaCall } from '../../src/core/plasma/Call.ts'
import { chainId } from '../../src/core/plasma/Chain.ts'
import { deployed, type Terms } from '../../src/core/plasma/Draft.ts'
import { type Exit, OWN_PERMIT } from '../../src/core/plasma/Exit.ts'
import { rootChain } from '../../src/core/plasma/RootChain.ts'
import type { SeenEvent } from '../../src/core/plasma/Seen.ts'
import { callValue } from '../../src/core/plasma/Sending.ts'
import { depositId, type Transaction, txHash } from '../../src/core/plasma/Transaction.ts'
import type { Chain } from '../../src/edge/chain/Chain.ts'
import { localAccount } from '../../src/edge/chain/LocalAccounts.ts'
import { plasmaChain } from '../../src/edge/chain/PlasmaChain.ts'
import { RootChain__factory, VerdictRegistry__factory } from '../../typechain-types/index.ts'
import { both, call, compared, held, pairOf, pass } from './both.ts'

const GWEI = 10n ** 9n
const [operator, alice, bob] = [localAccount(0), localAccount(1), localAccount(2)]

/** A court on both chains; its bond does not depend on the base fee, which the simulation does not imitate. */
async function world(feeFloor = GWEI, feeCeiling = GWEI) {
  const chains = await both()
  const deployer = (await chains.connection.ethers.getSigners())[4]!
  const registry = await new VerdictRegistry__factory(deployer).deploy()
  const contract = await new RootChain__factory(deployer).deploy(
    ...([registry, 1000, 120, 120, 200_000n, feeFloor, feeCeiling] as const),
  )
  const court = (await contract.getAddress()).toLowerCase() as Hex
  const bonds = { bondGas: 200_000n, feeFloor, feeCeiling }
  const terms: Terms = { court: domain(31337n, court), mfp: 1000, margin: 120, alarm: 120, ...bonds }
  const value = (one: PlasmaCall, baseFee: bigint) => callValue(terms, one, baseFee)
  const simulated = chains.l1.deploy(court, rootChain, deployed(terms), value)
  const connect = async (index: number) => {
    const signer = (await chains.connection.ethers.getSigners())[index]!
    return plasmaChain({ provider: chains.provider, signer, court, interval: 5 })
  }
  return { chains, court, terms, connect, pair: await pairOf(chains, connect, simulated) }
}

/** The exits that were started on a chain, in order. */
async function startedOn(
  real: Chain<PlasmaCall, SeenEvent>,
): Promise<readonly { exit: Exit; lane: number; index: number }[]> {
  const events: SeenEvent[] = []
  const head = await real.head()
  await new Promise<void>((done) => {
    const stop = real.follow(0, ({ block }) => {
      events.push(...block.events)
      if (block.number !== head) return
      stop()
      done()
    })
  })
  return events.flatMap((event) =>
    event.name === 'ExitStarted' ? [{ exit: event.exit, lane: event.lane, index: event.index }] : [],
  )
}

describe('edge/chain of Plasma: Hardhat and the simulation', () => {
  it('agree on deposits, a block, exits, a challenge and the queue, refusals included', async () => {
    const { chains, court, terms, pair } = await world()
    const say = (by: number, one: PlasmaCall) => call(pair, by, one)
    const chain = { parent: ZERO, slot: 0, operator: operator.address }
    const id = chainId(chain)
    const deposit = { chain: id, salt: ZERO, owner: alice.address, asset: ETHER, value: 1000n }
    expect(await say(1, { verb: 'deposit', ...deposit })).to.equal('UnknownChain')
    expect(await say(0, { verb: 'register', path: [chain], signatures: ['0x'] })).to.equal(undefined)
    expect(await say(1, { verb: 'deposit', ...deposit })).to.equal(undefined)
    expect(await say(1, { verb: 'deposit', ...deposit, salt: uint(1, 32) })).to.equal(undefined)

    const spent = depositId({ ...deposit, sender: alice.address })
    const output = { owner: bob.address, asset: ETHER, value: 1000n, lock: ZERO }
    const transaction: Transaction = { chain: id, inputs: [spent], outputs: [output], lastBlock: 9, memo: ZERO }
    const hash = txHash(terms.court, transaction)
    const tree = txTree([hash])
    const asOf = chains.time
    expect(await say(1, { verb: 'commit', chain, number: 1, header: header(rootOf(tree)), asOf })).to.equal(
      'NotOperator',
    )
    expect(await say(0, { verb: 'commit', chain, number: 1, header: header(rootOf(tree)), asOf })).to.equal(undefined)
    const commitment = { number: 1, time: chains.time, asOf, header: header(rootOf(tree)) }
    const shown = inclusion(tree, 0, commitment)
    const start = {
      verb: 'startExit',
      path: [chain],
      transaction,
      output: 0,
      inclusion: shown,
      permit: OWN_PERMIT,
    } as const
    expect(await say(1, start)).to.equal('WrongSigner')
    expect(await say(2, start)).to.equal(undefined)
    const deposited = { ...deposit, sender: alice.address }
    expect(await say(1, { verb: 'startDepositExit', deposited, permit: OWN_PERMIT })).to.equal(undefined)

    const [first, second] = await startedOn(pair.real[0]!)
    const authorisation = sign(hash, alice.key)
    const spend = { tx: transaction, input: 0, authorisation, inclusion: [] }
    const challenge = { verb: 'challengeExit', path: [chain], ...second!, spend } as const
    expect(await say(3, challenge)).to.equal(undefined)
    const process = {
      verb: 'process',
      chain: id,
      asset: ETHER,
      exits: [first!.exit],
      members: [],
      inFlight: [],
    } as const
    // The challenged exit was first in the queue, so there is one thing to do before its time comes.
    expect(await say(3, process)).to.equal(undefined)
    expect(await say(3, process)).to.equal('NotExitable')
    await pass(chains, 3000)
    const before = await held(chains, ETHER, court)
    expect(await say(3, process)).to.equal(undefined)
    const after = await held(chains, ETHER, court)
    expect(after.real - before.real).to.equal(after.model - before.model)
    expect((await held(chains, ETHER, bob.address)).model).to.equal(10n ** 22n + 1000n)
    expect(await compared(pair)).to.deep.equal([
      ...['ChainRegistered', 'Deposited', 'Deposited', 'Committed'],
      ...['ExitStarted', 'ExitStarted', 'ExitChallenged', 'ExitPaid'],
    ])
  })

  it('pays a whole batch in one transaction, though a node’s estimate is content with the first exit', async () => {
    const { chains, pair } = await world()
    const chain = { parent: ZERO, slot: 0, operator: operator.address }
    const id = chainId(chain)
    expect(await call(pair, 0, { verb: 'register', path: [chain], signatures: ['0x'] })).to.equal(undefined)
    for (let i = 0; i < 12; i++) {
      const deposit = { chain: id, salt: uint(i, 32), owner: alice.address, asset: ETHER, value: 7n }
      expect(await call(pair, 1, { verb: 'deposit', ...deposit })).to.equal(undefined)
      const deposited = { ...deposit, sender: alice.address }
      expect(await call(pair, 1, { verb: 'startDepositExit', deposited, permit: OWN_PERMIT })).to.equal(undefined)
    }
    await pass(chains, 1000)
    const exits = (await startedOn(pair.real[0]!)).map(({ exit }) => exit)
    expect(
      await call(pair, 2, { verb: 'process', chain: id, asset: ETHER, exits, members: [], inFlight: [] }),
    ).to.equal(undefined)
    expect((await compared(pair)).filter((name) => name === 'ExitPaid')).to.have.length(12)
  })

  it('reads the terms that the court was deployed with, and attaches the bond of the newest base fee', async () => {
    const { chains, terms, connect } = await world(1n, 10_000n * GWEI)
    const chain = await connect(0)
    expect(chain.terms).to.deep.equal(terms)
    const root = { parent: ZERO, slot: 0, operator: operator.address }
    await chain.send({ verb: 'register', path: [root], signatures: ['0x'] })
    const deposit = { chain: chainId(root), salt: ZERO, owner: operator.address, asset: ETHER, value: 5n }
    await chain.send({ verb: 'deposit', ...deposit })
    await chains.connection.networkHelpers.setNextBlockBaseFeePerGas(777n * GWEI)
    await chains.connection.networkHelpers.mine()
    const before = (await held(chains, ETHER, chain.court)).real
    await chain.send({
      verb: 'startDepositExit',
      deposited: { ...deposit, sender: operator.address },
      permit: OWN_PERMIT,
    })
    const posted = (await held(chains, ETHER, chain.court)).real - before
    expect(posted).to.equal((777n * GWEI * 200_000n * 3n) / 2n)
  })
})
