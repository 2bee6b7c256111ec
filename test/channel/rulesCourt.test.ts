import { concat, ETHER, type Hex, uint, ZERO } from '../../src/core/base/Bytes.ts'
import { hashLock } from '../../src/core/base/Verdicts.ts'
import { NO_STATE } from '../../src/core/channel/Challenge.ts'
import { type Channel, FINAL } from '../../src/core/channel/Channel.ts'
import type { Lock } from '../../src/core/channel/Lock.ts'
import { OddCondition__factory } from '../../typechain-types/index.ts'
import { alice, bob, carol, coSigned, PERIOD, stranger, terms, UNIT } from './stage.ts'
import { type Cut, eachIsNeeded, type Rule, type Scene, VERBS } from './without.ts'

const SIGNATURES = 'contracts/base/Signatures.sol'
const VERDICTS = 'contracts/base/Verdicts.sol'
const SECRET = uint(1, 32)
const REFUSES: Hex = '0x60006000fd'
/** Code that answers every question with ERC-1271's yes. */
const AGREES: Hex = concat('0x7f1626ba7e', uint(0, 28), '0x60005260206000f3')
const WALLET = uint(0x3a11e7, 20)
// The order of OddCondition.Manner.
const [FINAL_ANSWER, REVERTS, GIVES_UP] = [0, 2, 9]

async function ether(): Promise<Hex> {
  return ETHER
}

/** A condition that answers four units, in one manner. */
async function condition(scene: Scene, manner: number) {
  const made = await scene.connection.ethers.deployContract('OddCondition', { gasPrice: 0 })
  const address = (await made.getAddress()).toLowerCase() as Hex
  const behave = (how: number) =>
    scene.send(
      stranger,
      address,
      OddCondition__factory.createInterface().encodeFunctionData('behave', [how, 4n * UNIT]),
    )
  await behave(manner)
  return { address, behave }
}

/** A lock of four units that expires before a dispute does. */
async function lockOf(scene: Scene, toB: boolean, change: Partial<Lock> = {}): Promise<Lock> {
  const expiry = (await scene.now()) + PERIOD
  return { toB, id: 1n, amount: 4n * UNIT, expiry, condition: ETHER, key: hashLock(SECRET), ...change }
}

/** The preimages that the court has told of. */
async function told(scene: Scene): Promise<readonly Hex[]> {
  const logs = await scene.connection.ethers.provider.getLogs({ address: scene.court, fromBlock: 0 })
  const events = logs.map((log) => VERBS.parseLog(log)!)
  return events.flatMap(({ name, args }) => (name === 'Revealed' ? [args.preimage as Hex] : []))
}

const sides = (one: typeof alice, two: typeof alice, salt = 1): Channel => {
  const [a, b] = [one, two].map(({ address }) => ({ owner: address, signer: address }))
  return terms(ETHER, salt, { a: a!, b: b! })
}

const ASK_CONTRACT: Cut = {
  path: SIGNATURES,
  rule: 'address have = signature.length == 0 ? msg.sender : _recover(digest, signature);',
  instead: `if (signer.code.length != 0) {
            bytes memory question = abi.encodeWithSignature("isValidSignature(bytes32,bytes)", digest, signature);
            (bool done, bytes memory word) = signer.staticcall(question);
            require(done && bytes4(word) == 0x1626ba7e, WrongSigner(address(0), signer));
            return;
        }
        address have = signature.length == 0 ? msg.sender : _recover(digest, signature);`,
}

const RULES: readonly Rule[] = [
  {
    rule: 'keys only: a contract would take back its signature after money moved on it',
    cuts: [ASK_CONTRACT],
    asset: ether,
    story: async (scene) => {
      const channel = terms(ETHER, 1, { a: { owner: alice.address, signer: WALLET } })
      const { setCode } = scene.connection.networkHelpers
      await setCode(WALLET, AGREES)
      await scene.deposit(alice, channel, false, 5n)
      const state = { ...scene.state(channel, 1n, 5n), sigA: uint(1, 65) }
      // Alice has paid bob five units in the channel; he gives her five outside of it if the court would take that.
      const trusted = await scene.would(bob, 'answer', [channel, state])
      if (trusted) await scene.send(bob, alice.address, '0x', { value: 5n * UNIT })
      await setCode(WALLET, REFUSES)
      await scene.call(alice, 'challenge', [channel, NO_STATE])
      await scene.call(bob, 'answer', [channel, state])
      await scene.connection.networkHelpers.time.increase(PERIOD + 1)
      await scene.call(bob, 'settle', [channel, '0x'])
    },
    refusal: 'WrongSigner',
    on: 0n,
    off: -5n,
  },
  {
    rule: 'a zero signer never signs: it is what a malformed signature recovers to',
    cuts: [{ path: SIGNATURES, rule: 'same := and(eq(have, need), gt(need, 0))', instead: 'same := eq(have, need)' }],
    asset: ether,
    story: async (scene) => {
      const channel = terms(ETHER, 1, { b: { owner: bob.address, signer: ETHER } })
      await scene.deposit(bob, channel, true, 5n)
      const { net, sigA } = coSigned(scene, channel, FINAL, -5n * UNIT)
      await scene.call(alice, 'conclude', [channel, net, sigA, uint(0, 65)])
      await scene.dispute(bob, channel)
    },
    refusal: 'WrongSigner',
    on: 0n,
    off: -5n,
  },
  {
    rule: 'a sender counts as a signature only if it is the signer',
    cuts: [
      {
        path: SIGNATURES,
        rule: 'signature.length == 0 ? msg.sender :',
        instead: 'signature.length == 0 ? signer :',
      },
    ],
    asset: ether,
    story: async (scene) => {
      const channel = terms(ETHER, 1)
      await scene.deposit(bob, channel, true, 5n)
      const { net, sigA } = coSigned(scene, channel, FINAL, -5n * UNIT)
      await scene.call(alice, 'conclude', [channel, net, sigA, '0x'])
      await scene.dispute(bob, channel)
    },
    refusal: 'WrongSigner',
    on: 0n,
    off: -5n,
  },
  {
    rule: 'a bond counts as one ether at most: no terms are too dear to leave',
    cuts: [{ path: 'contracts/channel/Channel.sol', rule: 'if (due > 1 ether) return 1 ether;', instead: '' }],
    asset: ether,
    story: async (scene) => {
      const channel = terms(ETHER, 1, { bond: 2n ** 96n - 1n })
      await scene.deposit(bob, channel, true, 5n)
      const all = await scene.balance(ETHER, bob)
      for (const value of [UNIT, all - UNIT]) await scene.call(bob, 'challenge', [channel, NO_STATE], { value })
      await scene.connection.networkHelpers.time.increase(PERIOD + 1)
      await scene.call(bob, 'settle', [channel, '0x'])
    },
    refusal: 'WrongValue',
    on: 0n,
    off: -5n,
  },
  {
    rule: 'a condition is asked with all of the promised gas, so nobody can starve an honest one',
    cuts: [{ path: VERDICTS, rule: 'require(gasleft() >= need, Asset.GasShort(gasleft(), need));', instead: '' }],
    asset: ether,
    story: async (scene) => {
      const channel = terms(ETHER, 1)
      await scene.deposit(alice, channel, false, 5n)
      const { address } = await condition(scene, GIVES_UP)
      const state = scene.state(channel, 1n, 0n, [await lockOf(scene, true, { condition: address, key: ZERO })])
      await scene.call(alice, 'judge', [address, ZERO], { gas: 250_000 })
      await scene.call(bob, 'judge', [address, ZERO])
      await scene.dispute(bob, channel, state)
    },
    refusal: 'GasShort',
    on: 4n,
    off: 0n,
  },
  {
    rule: 'a settlement never calls foreign code: no condition can hold up the money beside its lock',
    cuts: [
      {
        path: 'contracts/channel/Lock.sol',
        rule: 'Verdict storage verdict = verdicts[condition][key];',
        instead: `Verdict storage verdict = verdicts[condition][key];
                if (condition != address(0)) {
                    (bool done, ) = condition.staticcall(abi.encodeWithSignature("outcome(bytes32)", key));
                    require(done, "the condition says nothing");
                }`,
      },
    ],
    asset: ether,
    story: async (scene) => {
      const channel = terms(ETHER, 1)
      await scene.deposit(bob, channel, true, 5n)
      const { address, behave } = await condition(scene, FINAL_ANSWER)
      const state = scene.state(channel, 1n, 0n, [await lockOf(scene, false, { condition: address, key: ZERO })])
      await behave(REVERTS)
      await scene.dispute(bob, channel, state)
    },
    on: 0n,
    off: -5n,
  },
  {
    rule: 'every preimage is told in an event, so a hop learns it wherever it was revealed',
    cuts: [{ path: VERDICTS, rule: 'emit Revealed(preimage);', instead: '' }],
    asset: ether,
    story: async (scene) => {
      const [upstream, from, to] = [await scene.another(), sides(alice, bob), sides(bob, carol)]
      await upstream.deposit(alice, from, false, 5n)
      await scene.deposit(bob, to, false, 5n)
      const owed = upstream.state(from, 1n, 0n, [await lockOf(scene, true)])
      const owing = coSigned(scene, to, 1n, 0n, [bob.key, carol.key], ZERO, [await lockOf(scene, true)])
      // Carol reveals inside of another contract's call, of which no transaction keeps the data.
      const { ethers } = scene.connection
      const receiver = await ethers.deployContract('Receiver', { gasPrice: 0 })
      await receiver.act(scene.court, VERBS.encodeFunctionData('reveal', [[SECRET]]), { gasPrice: 0 })
      await upstream.call(bob, 'reveal', [await told(scene)])
      await scene.dispute(carol, to, owing)
      await upstream.dispute(bob, from, owed)
    },
    on: 0n,
    off: -4n,
  },
]

describe('a rule of disputes that is left out of the court loses money', () => eachIsNeeded(RULES))
